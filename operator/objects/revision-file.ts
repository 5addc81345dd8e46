/** The key of a revision's ConfigMap that holds the program, and the file that pods see it as. */
export const REVISION_FILE = 'revision.json';

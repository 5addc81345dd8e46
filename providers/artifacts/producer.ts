/** As in package.json, which a test holds it against: a constant costs no start a file to read. */
export const VERSION = '0.1.0';

/** Name and version of the program, as every artifact's manifest records it. */
export const PRODUCER = `holdfast ${VERSION}`;

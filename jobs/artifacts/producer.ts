/** Name and version of the program, as every artifact's manifest records it. */
export const PRODUCER = 'holdfast 0.1.0';

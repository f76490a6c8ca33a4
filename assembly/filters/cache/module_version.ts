/** The version of this module, as in package.json; a test holds the two together. */
export const VERSION: string = "0.1.0";

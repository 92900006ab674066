// What is used of jsfive, which has no types. It throws texts as well as errors.
declare module 'jsfive' {
  /** A folder of an HDF5 file. */
  export class Group {
    readonly keys: string[];
    readonly attrs: Record<string, unknown>;
    /** Throws, among others, for a name that is not there; null for a link that leads nowhere. */
    get(name: string): Group | Dataset | null;
  }

  /** The root of an HDF5 file. */
  export class File extends Group {
    constructor(bytes: ArrayBuffer);
  }

  export class Dataset {
    readonly shape: number[];
    /** numpy's name of a type of numbers or of texts of one length; a list for others. */
    readonly dtype: string | readonly unknown[];
    readonly value: number[];
  }
}

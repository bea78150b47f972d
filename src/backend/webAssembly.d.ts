/** The WebAssembly interface, as far as it is used here. TypeScript's ES2023 library and Node 20's types do not declare it. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  function compile(bytes: Uint8Array): Promise<Module>;
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    /** Sizes in pages of 64 KiB. */
    constructor(size: { initial: number; maximum: number; shared?: boolean });
    /** Shared memory has a SharedArrayBuffer. */
    readonly buffer: ArrayBufferLike;
  }
}

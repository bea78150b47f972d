/**
 * The SHA-256 of bytes, as 64 hexadecimal digits. It comes in as an argument: Node has it in node:crypto, a page takes it from a library
 * (crypto.subtle is asynchronous, and missing on plain http).
 */
export type Sha256 = (bytes: Uint8Array) => string;

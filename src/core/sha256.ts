/**
 * The SHA-256 of bytes as 64 lower-case hexadecimal digits. The core takes it as an argument: Node has it in node:crypto, a page takes it
 * from a library (crypto.subtle is asynchronous and not available on plain http).
 */
export type Sha256 = (bytes: Uint8Array) => string;

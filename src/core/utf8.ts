const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Decodes UTF-8. Invalid bytes become U+FFFD; a byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Position of the first byte that is not valid UTF-8, or undefined. */
export function firstInvalidByte(bytes: Uint8Array): number | undefined {
  const text = decodeUtf8(bytes);
  // U+FFFD marks the first invalid byte, unless the bytes spell U+FFFD themselves.
  for (let at = text.indexOf('\ufffd'); at !== -1; at = text.indexOf('\ufffd', at + 1)) {
    const byte = new TextEncoder().encode(text.slice(0, at)).length;
    if (!(bytes[byte] === 0xef && bytes[byte + 1] === 0xbf && bytes[byte + 2] === 0xbd)) return byte;
  }
  return undefined;
}

/** Decodes Latin-1: each byte becomes the character with its code. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = '';
  // In chunks, because the number of arguments of a call is limited.
  for (let start = 0; start < bytes.length; start += 4096) text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  return text;
}

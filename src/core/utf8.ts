/** Where bytes stop being UTF-8; undefined if they are all of it. */
export function firstInvalidByte(bytes: Buffer): number | undefined {
  const text = bytes.toString('utf8');
  // A replacement character that the bytes do not spell themselves marks the first invalid byte.
  for (let at = text.indexOf('\ufffd'); at !== -1; at = text.indexOf('\ufffd', at + 1)) {
    const byte = Buffer.byteLength(text.slice(0, at));
    if (bytes.toString('hex', byte, byte + 3) !== 'efbfbd') return byte;
  }
  return undefined;
}

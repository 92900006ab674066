/** Bytes as Base64 text. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  // A multiple of 3, so that the parts can be joined; short enough for the arguments of one call.
  for (let at = 0; at < bytes.length; at += 24_573) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 24_573))));
  }
  return parts.join('');
}

/** Numbers as Base64 text of little-endian 32-bit floats. */
export function floatsToBase64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return toBase64(new Uint8Array(buffer, byteOffset, byteLength));
}

/**
 * Reads the fields of SSH's binary formats one after another (RFC 4251, section 5).
 *
 * @throws RangeError where a field reaches beyond the end
 */
export function createReader(bytes: Buffer) {
  let offset = 0;
  function take(length: number): Buffer {
    if (length > bytes.length - offset) throw new RangeError('A field is longer than its data.');
    const taken = bytes.subarray(offset, offset + length);
    offset += length;
    return taken;
  }
  const uint32 = () => take(4).readUInt32BE();
  return {
    take,
    uint32,
    /** Bytes with their number before them. */
    string: () => take(uint32()),
    /** The number of bytes that nothing has read. */
    left: () => bytes.length - offset,
  };
}

import CZlib
import Glibc
import Tensors

/// The bytes of a file from its beginning to its end, inflated where the file is gzip.
final class ByteReader {
  let path: String
  private let contents: Contents
  /// zlib keeps the address of its stream, so it lives on the heap. Nil for a plain file.
  private let stream: UnsafeMutablePointer<z_stream>?
  private var offset = 0

  /// Files larger than this are refused.
  static let limit = 1 << 30

  /// - Throws: `DatasetError.missing`, `.empty`, `.unreadable`.
  init(_ path: String, package: String? = nil) throws(DatasetError) {
    try requireExisting(path, package: package)
    self.path = path
    let file: Contents
    do throws(TensorError) { file = try Contents(path) } catch { throw .unreadable(error) }
    let count = file.count
    guard count > 0 else { throw .empty(path: path) }
    let bytes = file.buffer.pointer.assumingMemoryBound(to: UInt8.self)
    let isGzip = count >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B
    contents = file
    guard isGzip else {
      stream = nil
      return
    }
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    stream.pointee.next_in = bytes
    stream.pointee.avail_in = UInt32(count)
    self.stream = stream
    // 15 bits of window, 16 for gzip alone.
    guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw .unreadable(.outOfMemory(byteCount: 1 << 15))
    }
  }

  /// A whole file as it is on the disk.
  private struct Contents: ~Copyable {
    let buffer: AlignedBuffer
    /// Bytes.
    let count: Int

    init(_ path: String) throws(TensorError) {
      let file = try InputFile(path)
      let count = file.byteCount
      guard count <= ByteReader.limit else {
        throw .malformed(path: path, problem: "it has \(count) bytes, at most \(ByteReader.limit) are read")
      }
      let buffer = try AlignedBuffer(byteCount: count)
      try file.read(at: 0, into: UnsafeMutableRawBufferPointer(start: buffer.pointer, count: count))
      self.buffer = buffer
      self.count = count
    }
  }

  deinit {
    if let stream {
      inflateEnd(stream)
      stream.deallocate()
    }
  }

  /// An upper bound of the bytes that follow, to refuse a header's promise before memory is taken for it.
  var mostBytesLeft: Int {
    // Deflate makes at most 1032 bytes of one.
    if let stream { Int(stream.pointee.avail_in) * 1032 + (1 << 16) } else { contents.count - offset }
  }

  /// Fills `target` with the next bytes.
  /// - Throws: `DatasetError.truncated` where there are fewer, `.malformed` where they cannot be inflated.
  func read(into target: UnsafeMutableRawBufferPointer) throws(DatasetError) {
    let got = try readSome(into: target)
    guard got == target.count else {
      throw .truncated(path: path, expected: offset - got + target.count, found: offset)
    }
  }

  func read(count: Int) throws(DatasetError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 1)
    defer { buffer.deallocate() }
    let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
    try read(into: part)
    return Array(part)
  }

  /// Makes sure that nothing follows, and that a gzip file's checksum is right.
  /// - Throws: `DatasetError.trailingBytes`, `.truncated`, `.malformed`.
  func finish() throws(DatasetError) {
    let expected = offset
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { buffer.deallocate() }
    let got = try readSome(into: buffer)
    guard got == 0 else { throw .trailingBytes(path: path, expected: expected) }
    if let stream, stream.pointee.avail_in > 0 { throw .trailingBytes(path: path, expected: expected) }
  }

  private var hasEnded = false

  private func readSome(into target: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    guard let stream else {
      let count = min(target.count, contents.count - offset)
      target.baseAddress?.copyMemory(from: contents.buffer.pointer + offset, byteCount: count)
      offset += count
      return count
    }
    var done = 0
    while done < target.count, !hasEnded {
      let room = min(target.count - done, 1 << 30)
      stream.pointee.next_out = (target.baseAddress! + done).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let result = inflate(stream, Z_NO_FLUSH)
      let made = room - Int(stream.pointee.avail_out)
      done += made
      offset += made
      switch result {
      case Z_OK: break
      case Z_STREAM_END: hasEnded = true
      case Z_BUF_ERROR:
        throw .malformed(path: path, problem: "the gzip data ends early, after \(offset) bytes of contents")
      case Z_MEM_ERROR: throw .unreadable(.outOfMemory(byteCount: 1 << 15))
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
        throw .malformed(path: path, problem: "the gzip data is damaged (\(reason))")
      }
    }
    return done
  }
}

import CZlib
import Datasets

/// The bytes of an IDX file.
func idx(_ extents: [Int], _ contents: [UInt8], kind: UInt8 = 8) -> [UInt8] {
  [0, 0, kind, UInt8(extents.count)]
    + extents.flatMap { extent in stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: extent >> $0) } }
    + contents
}

/// The bytes as gzip.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var stream = z_stream()
  precondition(
    deflateInit2_(&stream, 9, Z_DEFLATED, 31, 8, 0, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
  defer { deflateEnd(&stream) }
  var source = bytes
  return [UInt8](unsafeUninitializedCapacity: bytes.count + 1000) { out, count in
    source.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      stream.next_out = out.baseAddress
      stream.avail_out = UInt32(out.count)
      precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
      count = Int(stream.total_out)
    }
  }
}

extension TemporaryFolder {
  /// Writes the four files of a small dataset: 2 x 3 images of counting bytes, labels that take turns.
  func smallIDX(train: Int = 6, test: Int = 4) throws {
    for (prefix, count) in [("train", train), ("t10k", test)] {
      let bytes = (0..<count * 6).map { UInt8(truncatingIfNeeded: $0) }
      _ = try file("\(prefix)-images-idx3-ubyte.gz", gzip(idx([count, 2, 3], bytes)))
      _ = try file("\(prefix)-labels-idx1-ubyte.gz", gzip(idx([count], (0..<count).map { UInt8($0 % 3) })))
    }
  }

  func openSmallIDX() throws(DatasetError) -> Dataset {
    try Dataset.idx(
      at: path, name: "small", classes: ["a", "b", "c"], normalization: Normalization(mean: [0], std: [1]))
  }
}

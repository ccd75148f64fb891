import CZlib
import Datasets
import Foundation
import Tensors
import Testing

/// Rows of `kinds.json`, made by `Goldens/kinds/make.py` with Pillow 13.0.0.
private let kinds = try! JSONDecoder().decode(
  Kinds.self, from: Data(contentsOf: URL(filePath: golden("kinds/kinds.json"))))

private struct Kinds: Decodable {
  let files, oriented: [ImageKind]
}

struct ImageKind: Decodable, CustomTestStringConvertible, Sendable {
  let name: String
  let file: Data
  let height, width: Int
  /// The CRC-32 of the pixels, H x W x 3.
  let sum: UInt
  var testDescription: String { name }
}

@Suite struct ImageKindTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// The image as a dataset of its size gives it.
  private func image(
    _ kind: ImageKind, isOriented: Bool = false, height: Int? = nil, width: Int? = nil
  ) throws -> Image {
    for part in ["train", "val"] {
      try FileManager.default.createDirectory(atPath: folder["\(part)/a"], withIntermediateDirectories: true)
      _ = try folder.file("\(part)/a/image.png", Array(kind.file))
    }
    return try Dataset.imageFolder(
      at: folder.path, height: height ?? kind.height, width: width ?? kind.width, isOriented: isOriented
    ).train.image(at: 0)
  }

  private func sum(_ image: Image) -> UInt {
    let plane = image.height * image.width
    let pixels = (0..<plane).flatMap { pixel in (0..<3).map { image.bytes[$0 * plane + pixel] } }
    return crc32(0, pixels, UInt32(pixels.count))
  }

  @Test("every kind of file has the bytes that Pillow gives", arguments: kinds.files)
  func bytes(_ kind: ImageKind) throws { #expect(try sum(image(kind)) == kind.sum) }

  @Test(
    "an EXIF orientation is followed as Pillow's exif_transpose follows it, where that is asked for",
    arguments: kinds.oriented)
  func orientation(_ kind: ImageKind) throws {
    #expect(try sum(image(kind, isOriented: true)) == kind.sum)
    // And left alone where it is not.
    let stored = try #require(kinds.files.first { $0.name == kind.name })
    #expect(try sum(image(stored)) == stored.sum)
  }

  @Test("a part of a turned JPEG is the part of the turned image, whole and reduced", arguments: 1...8)
  func parts(_ orientation: Int) throws {
    let kind = try #require(kinds.oriented.first { $0.name == "oriented-jpeg-\(orientation)" })
    let whole = try image(kind, isOriented: true)
    _ = try image(kind, isOriented: true, height: 9, width: 13)
    let source = try Dataset.imageFolder(at: folder.path, height: 9, width: 13, isOriented: true).train.source
    for (top, left) in [(0, 0), (1, 2), (kind.height - 9, kind.width - 13), (11, 7)] {
      let framing = Framing { height, width in
        #expect((height, width) == (kind.height, kind.width))
        return Window(top: Double(top), left: Double(left), height: 9, width: 13, seesBeyond: false)
      }
      try source.withImage(at: 0, framing) { part in
        for channel in 0..<3 {
          for y in 0..<9 {
            let start = (channel * kind.height + top + y) * kind.width + left
            let row = (channel * 9 + y) * 13
            #expect(Array(part.bytes[row..<row + 13]) == Array(whole.bytes[start..<start + 13]))
          }
        }
      }
    }
    // Decoded at half its size: nearly the same.
    var bytes: [[UInt8]] = []
    for isReduced in [false, true] {
      let framing = Framing(allowsReduction: isReduced) { height, width in
        Window(top: 2, left: 3, height: Double(height - 5), width: Double(width - 4), seesBeyond: false)
      }
      try source.withImage(at: 0, framing) { bytes.append(Array($0.bytes)) }
    }
    let mean = zip(bytes[0], bytes[1]).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(bytes[0].count)
    #expect(mean < 6, "of 255")
  }

  @Test("whether the orientation is followed is part of a dataset's checksum")
  func checksum() throws {
    _ = try image(try #require(kinds.oriented.first))
    func sum(_ isOriented: Bool) throws -> String {
      try Dataset.imageFolder(at: folder.path, height: 8, width: 8, isOriented: isOriented).checksum()
    }
    #expect(try sum(true) != sum(false) && sum(true) == sum(true))
  }

  @Test("a file of any kind that ends early is refused or shown, never more", arguments: kinds.files)
  func cut(_ kind: ImageKind) throws {
    for share in [0.1, 0.4, 0.7, 0.95] {
      let part = Array(kind.file.prefix(Int(Double(kind.file.count) * share)))
      let cut = ImageKind(name: kind.name, file: Data(part), height: kind.height, width: kind.width, sum: 0)
      do { _ = try image(cut) } catch { #expect(error is DatasetError) }
    }
  }
}

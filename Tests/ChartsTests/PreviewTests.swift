import Charts
import Foundation
import Testing

@Suite struct PreviewTests {
  private static func file(_ base64: String) -> [UInt8] { Array(Data(base64Encoded: base64)!) }

  /// Made by Pillow 13.0.0: `Image.save` of an RGBA, a palette, a grey and a one-bit picture.
  private static let files: [(String, width: Int, pixels: [UInt8])] = [
    (
      "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAIElEQVR4nAXBsQ0AIBAAIWpr699/RjU5QSRRYO3p3NcHggMLJg6JWpgAAAAASUVORK5CYII=",
      3, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 20, 30, 250, 251, 252]
    ),
    (
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACAgMAAAAP2OW3AAAACVBMVEUBAgPIZDL///8sQLsPAAAADElEQVR4nGMQYJgAAADEAKEWXLqWAAAAAElFTkSuQmCC",
      2, [1, 2, 3, 200, 100, 50, 255, 255, 255, 200, 100, 50]
    ),
    (
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR4nGNgPwEAANkA0NemIjwAAAAASUVORK5CYII=",
      2, [7, 7, 7, 200, 200, 200]
    ),
    (
      "iVBORw0KGgoAAAANSUhEUgAAAAkAAAABAQAAAAAkubnQAAAAC0lEQVR4nGN0swIAAMwAgnn9voYAAAAASUVORK5CYII=",
      9, [0, 255, 0, 0, 0, 255, 255, 0, 255].flatMap { [$0, $0, $0] }
    ),
  ]

  @Test("the pixels of every kind of PNG are read, over white", arguments: files)
  func reading(_ base64: String, _ width: Int, _ pixels: [UInt8]) throws {
    let preview = try Preview(png: Self.file(base64))
    #expect(preview.width == width && preview.height == pixels.count / 3 / width)
    #expect(preview.pixels == pixels)
  }

  @Test("a damaged file is refused, wherever it is damaged", arguments: files.map(\.0))
  func damage(_ base64: String) throws {
    let file = Self.file(base64)
    for length in 0..<file.count { #expect(throws: ChartError.self) { try Preview(png: Array(file[..<length])) } }
    for place in file.indices {
      var changed = file
      changed[place] ^= 0x55
      #expect(throws: ChartError.self) { try Preview(png: changed) }
    }
  }

  /// The file with other data in the chunk of a type, its checksum right again.
  private func forged(_ file: [UInt8], _ type: String, _ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
    let start = try #require(file.firstRange(of: Array(type.utf8))).lowerBound
    let length = file[start - 4..<start].reduce(0) { $0 << 8 | Int($1) }
    var body = Array(file[start..<start + 4 + length])
    change(&body)
    let sum = PNG.checksum(body)
    let tail = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    return Array(file[..<start]) + body + tail + Array(file[(start + 8 + length)...])
  }

  @Test("a file whose checksums hold may say anything without harm", arguments: files.map(\.0))
  func forgery(_ base64: String) throws {
    let file = Self.file(base64)
    for type in ["IHDR", "IDAT"] {
      let length = type == "IHDR" ? 17 : 12
      for place in 4..<length {
        for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
          let wrong = try forged(file, type) { $0[place] = value }
          // It may still be a picture; what counts is to come back.
          if let preview = try? Preview(png: wrong) {
            #expect(preview.pixels.count == 3 * preview.width * preview.height)
          }
        }
      }
    }
    let huge = try forged(file, "IHDR") { $0.replaceSubrange(4..<12, with: [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]) }
    #expect(throws: ChartError.size(width: 30_000, height: 30_000)) { try Preview(png: huge) }
  }

  private static let corners = Preview(
    width: 2, height: 2, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])

  @Test("two pixels share a character, the upper one as its ink")
  func blocks() {
    let esc = "\u{1B}"
    #expect(
      Self.corners.text(columns: 2)
        == "\(esc)[38;2;255;0;0;48;2;0;0;255m▀\(esc)[38;2;0;255;0;48;2;255;255;255m▀\(esc)[0m\n")
    #expect(
      Self.corners.text(columns: 2, colors: .palette) == "\(esc)[38;5;196;48;5;21m▀\(esc)[38;5;46;48;5;231m▀\(esc)[0m\n"
    )
    #expect(Self.corners.text(columns: 2, colors: .none) == "▓ \n")
  }

  @Test("colours are named only where they change, and a single row leaves the ground as it is")
  func changes() {
    let line = Preview(width: 3, height: 1, pixels: Array(repeating: 9, count: 9))
    #expect(line.text(columns: 3) == "\u{1B}[38;2;9;9;9;49m▀▀▀\u{1B}[0m\n")
  }

  @Test("each of the 256 colours is the nearest to itself", arguments: 16...255)
  func palette(_ index: Int) {
    func level(_ value: Int) -> UInt8 { UInt8(value == 0 ? 0 : 55 + 40 * value) }
    let cube = index - 16
    let color =
      index >= 232
      ? Array(repeating: UInt8(8 + 10 * (index - 232)), count: 3)
      : [level(cube / 36), level(cube / 6 % 6), level(cube % 6)]
    let text = Preview(width: 1, height: 1, pixels: color).text(columns: 1, colors: .palette)
    #expect(text.hasPrefix("\u{1B}[38;5;\(index);"))
  }

  @Test(
    "a preview keeps its shape within columns and rows",
    arguments: [
      (80, Int.max, 80, 17), (80, 5, 24, 5), (0, 0, 4, 1), (10_000, 3, 14, 3),
    ])
  func size(_ columns: Int, _ rows: Int, _ width: Int, _ height: Int) throws {
    let preview = try Preview(png: Samples.typical().render(typeface: .builtIn))
    let lines = preview.text(columns: columns, rows: rows, colors: .none).split(separator: "\n")
    #expect(lines.count == height)
    #expect(lines.allSatisfy { $0.count <= width })
  }

  @Test("a picture without pixels has no text")
  func empty() {
    #expect(Preview(width: 0, height: 0, pixels: []).text(columns: 10) == "")
  }
}

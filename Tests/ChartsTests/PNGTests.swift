import Charts
import Testing

@Suite struct PNGTests {
  private func picture() throws -> [UInt8] { try Samples.one([]).render(typeface: .builtIn) }

  @Test("the checksum is CRC-32")
  func checksum() {
    // The check value of the catalogue of parametrised CRC algorithms.
    #expect(PNG.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
  }

  @Test("texts come back as they were stored", arguments: ["plain", "", "80,4 % – α × 日本 🎉", "two\nlines"])
  func roundTrip(_ text: String) throws {
    let file = try PNG.adding([TextChunk("reprise-script", text)], to: picture())
    #expect(try PNG.texts(in: file).contains(TextChunk("reprise-script", text)))
  }

  @Test("a text takes the place of the one with its keyword")
  func replacement() throws {
    let once = try PNG.adding([TextChunk("a", "1"), TextChunk("b", "2")], to: picture())
    let twice = try PNG.adding([TextChunk("a", "é")], to: once)
    #expect(try PNG.texts(in: twice).filter { $0.keyword != Chart.dataKeyword }.map(\.text).sorted() == ["2", "é"])
  }

  @Test(
    "keywords that PNG does not allow are refused",
    arguments: ["", " a", "a ", "a  b", "日", String(repeating: "k", count: 80)])
  func keywords(_ keyword: String) throws {
    let file = try picture()
    #expect(throws: ChartError.textChunk(keyword: keyword)) { try PNG.adding([TextChunk(keyword, "x")], to: file) }
  }

  @Test("a damaged file is refused, wherever it is cut")
  func damage() throws {
    let file = try picture()
    var changed = file
    changed[file.count / 2] ^= 1
    #expect(throws: ChartError.self) { try PNG.texts(in: changed) }
    for length in [0, 7, 8, 20, 33, file.count / 2, file.count - 1] {
      #expect(throws: ChartError.self) { try PNG.texts(in: Array(file[..<length])) }
    }
  }
}

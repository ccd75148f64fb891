import Charts
import Testing

@Suite struct TypefaceTests {
  @Test("a file that is no font gives no typeface", arguments: ["", "/", "/nowhere.ttf", "a;b", "/etc/passwd", "a\0b"])
  func missing(_ path: String) {
    #expect(Typeface(path: path) == nil)
  }
}

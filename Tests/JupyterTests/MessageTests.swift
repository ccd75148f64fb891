import Foundation
import Jupyter
import Testing

@Suite("Messages of Jupyter's protocol")
struct MessageTests {
  @Test("a signature is the HMAC-SHA256 of the four frames")
  func signature() {
    // RFC 4231, test case 2; the text in pieces.
    let parts = ["what do ya ", "want ", "for ", "nothing?"].map { Array($0.utf8) }
    #expect(
      Message.signature(of: parts, key: "Jefe") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(Message.signature(of: parts, key: "") == "")
  }

  private static let request = Message("execute_request", ["code": "1 + 1"], session: "a")

  @Test("what is sent is what is read", arguments: ["", "a key"])
  func roundTrip(_ key: String) throws {
    var message = Self.request
    message.identities = [[1, 2, 3], [0]]
    message.metadata = ["tags": ["a", 1, .number(1.5), true, .null, "nan", "inf"]]
    #expect(try Message(frames: message.frames(key: key), key: key) == message)
  }

  @Test("a message says the day and the time at which it was made")
  func date() throws {
    let text = try #require(Self.request.header["date"]?.string)
    let date = try Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    #expect(abs(date.timeIntervalSinceNow) < 3600, "\(text)")
  }

  private static let broken: [(String, @Sendable ([[UInt8]]) -> [[UInt8]])] = [
    ("nothing", { _ in [] }),
    ("no delimiter", { $0.filter { $0 != Array("<IDS|MSG>".utf8) } }),
    ("too few frames", { $0.dropLast() }),
    ("another signature", { frames in frames.indices.map { $0 == 1 ? Array(String(repeating: "0", count: 64).utf8) : frames[$0] } }),
    ("a signature that is no hexadecimal", { frames in frames.indices.map { $0 == 1 ? Array(String(repeating: "ä", count: 32).utf8) : frames[$0] } }),
    ("a short signature", { frames in frames.indices.map { $0 == 1 ? [] : frames[$0] } }),
    ("another content", { frames in frames.indices.map { $0 == 5 ? Array("{\"code\":\"2\"}".utf8) : frames[$0] } }),
  ]

  @Test("a message that breaks the protocol is refused", arguments: broken.indices)
  func refused(_ place: Int) {
    #expect(throws: JupyterError.self) {
      try Message(frames: Self.broken[place].1(Self.request.frames(key: "k")), key: "k")
    }
  }

  @Test("frames that hold no JSON, or not of the right kind, are refused", arguments: [
    "", "{", "[]", "1", "{\"msg_type\": 1}", String(repeating: "[", count: 100_000), "\u{0}",
  ])
  func noJSON(_ text: String) {
    for place in 2...5 {
      var frames = Self.request.frames(key: "")
      frames[place] = Array(text.utf8)
      // An array or a number is no content and no header, but may be a parent.
      if JSON(text.utf8) == nil || place == 2 || (place == 5 && JSON(text.utf8)?.object == nil) {
        #expect(throws: JupyterError.self) { try Message(frames: frames, key: "") }
      }
    }
  }
}

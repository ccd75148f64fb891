import Tensors
import Testing

@Suite struct SafeTensorsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A file with this header and so many bytes of data.
  private func file(_ header: String, data: Int) throws -> String {
    try file(Array(header.utf8), data: data)
  }

  private func file(_ header: [UInt8], data: Int) throws -> String {
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return try folder.file("a.safetensors", length + header + [UInt8](repeating: 0, count: data))
  }

  @Test("the reference implementation's files of each type are read")
  func types() throws {
    let file = try SafeTensors(reading: golden("types.safetensors"))
    #expect(file.metadata == ["format": "pt", "note": "π \"quoted\""])
    #expect(file.weights.keys.sorted() == ["bf16", "bool", "f16", "f32", "f64", "i16", "i32", "i64", "i8", "u8"])
    for (name, tensor) in file.weights {
      let kind: Character = name == "bf16" ? "f" : name.first!
      #expect(tensor.shape == [3, 4])
      #expect(tensor.elements == (0..<12).map { goldenValue(kind, $0) }, "\(name)")
    }
  }

  @Test("only the arrays that are wanted are read, and a list needs none")
  func selection() throws {
    let path = golden("floats.safetensors")
    #expect(try SafeTensors(reading: path) { $0 == "bias" }.weights == ["bias": Tensor([-1.5], shape: [])])
    let entries = try SafeTensors.entries(of: path)
    #expect(entries.map(\.name) == ["bias", "conv.weight", "none"])
    #expect(entries.map(\.shape) == [[], [2, 3, 4], [0, 3]])
    #expect(entries.allSatisfy { $0.type == .float32 })
  }

  @Test("floats are written as the reference implementation writes them, byte for byte")
  func bytes() throws {
    let path = golden("floats.safetensors")
    try SafeTensors(reading: path).write(to: folder["b"])
    #expect(try readFile(folder["b"], limit: 1 << 20) == readFile(path, limit: 1 << 20))
  }

  @Test("names and notes of any characters come back")
  func escapes() throws {
    let text = "quote \" backslash \\ newline \n zero \0 π 🙂 / \u{7F}"
    let file = SafeTensors(weights: [text: try Tensor([1], shape: [1])], metadata: [text: text])
    try file.write(to: folder["b"])
    let again = try SafeTensors(reading: folder["b"])
    #expect(again.weights == file.weights)
    #expect(again.metadata == file.metadata)
    let escaped = try self.file(#"{"__metadata__":{"a":"\u03c0\ud83d\ude42\/"}}"#, data: 0)
    #expect(try SafeTensors(reading: escaped).metadata == ["a": "π🙂/"])
    #expect(try SafeTensors(reading: self.file("{}", data: 0)).weights.isEmpty)
  }

  @Test(
    "a header that lies is an error",
    arguments: [
      #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[1],"data_offsets":[7,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      #"{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[NaN,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#,
      #"{"a":{"dtype":"X32","shape":[2],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[2]}}"#, #"{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}"#,
      #"{"a":[]}"#, #"{"a":null}"#, #"{"__metadata__":{"a":1}}"#, #"{"__metadata__":{"a":"b","a":"c"}}"#,
      #"{"__metadata__":{},"__metadata__":{}}"#, #"{"a"}"#, #"{"a":{"dtype":"\ud800"}}"#, #"{"a":{"dtype":"\x"}}"#,
      #"{"a"#, "{", "", " {}", "[]", "{}{}", "{}", "nonsense",
    ])
  func lies(_ header: String) throws {
    let path = try file(header, data: 8)
    #expect(throws: TensorError.self) { try SafeTensors(reading: path) }
  }

  @Test("deep nesting, and text that is not UTF-8, are errors")
  func hostileText() throws {
    let nested = "{\"a\":" + String(repeating: "[", count: 100_000)
    let path = try file(nested, data: 0)
    #expect(throws: TensorError.self) { try SafeTensors(reading: path) }
    let notUTF8 = try file(Array("{\"".utf8) + [0xFF, 0xFE] + Array("\":{}}".utf8), data: 0)
    #expect(throws: TensorError.self) { try SafeTensors(reading: notUTF8) }
  }

  @Test(
    "a header longer than the file is an error",
    arguments: [1, 100, 1 << 31, 1 << 62, UInt64(Int64.max), UInt64.max])
  func longHeader(_ length: UInt64) throws {
    let path = try folder.file("a", (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) })
    #expect(throws: TensorError.self) { try SafeTensors(reading: path) }
  }

  @Test("a file cut off anywhere is an error")
  func truncated() throws {
    let whole = try readFile(golden("floats.safetensors"), limit: 1 << 20)
    for count in 0..<whole.count {
      let path = try folder.file("a", Array(whole.prefix(count)))
      #expect(throws: TensorError.self, "\(count) bytes") { try SafeTensors(reading: path) }
    }
  }

  @Test("no change of bytes crashes the reader", arguments: ["types.safetensors", "floats.safetensors"])
  func mutations(_ name: String) throws {
    let whole = try readFile(golden(name), limit: 1 << 20)
    for sample in 0..<2000 {
      var random = RandomKey(seed: 2, for: .script, sample: sample).generator()
      // Three of four keep the length, so that changes reach the parser.
      let places = sample.isMultiple(of: 4) ? 0..<8 : 8..<min(whole.count, 700)
      let path = try folder.file("a", mutated(whole, at: places, using: &random))
      do throws(TensorError) { _ = try SafeTensors(reading: path) } catch { #expect(!"\(error)".isEmpty) }
    }
  }
}

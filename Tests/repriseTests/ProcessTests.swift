import Foundation
import Testing

@Suite("What the program is made of")
struct ProcessTests {
  /// The names that a 64-bit ELF file of this machine's byte order wants from shared libraries.
  static func importedNames(of file: [UInt8]) throws -> Set<String> {
    func number<Number: FixedWidthInteger>(_ at: Int, as _: Number.Type) -> Int {
      file.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: at, as: Number.self)) }
    }
    struct Section { var type, offset, size, link: Int }
    let sections = (0..<number(60, as: UInt16.self)).map { index in
      let at = number(40, as: UInt64.self) + index * number(58, as: UInt16.self)
      return Section(
        type: number(at + 4, as: UInt32.self), offset: number(at + 24, as: UInt64.self),
        size: number(at + 32, as: UInt64.self), link: number(at + 40, as: UInt32.self))
    }
    // SHT_DYNSYM, whose entries of 24 bytes begin with the name's place; section 0 is that of what is elsewhere.
    let symbols = try #require(sections.first { $0.type == 11 })
    let names = sections[symbols.link].offset
    return Set(
      stride(from: symbols.offset, to: symbols.offset + symbols.size, by: 24).compactMap { at in
        guard number(at + 6, as: UInt16.self) == 0 else { return nil }
        return String(decoding: file[(names + number(at, as: UInt32.self))...].prefix { $0 != 0 }, as: UTF8.self)
      })
  }

  @Test("only what the user asks the prompt for starts a process, in one place and by one function")
  func processes() throws {
    let names = try Self.importedNames(of: Array(try Data(contentsOf: URL(filePath: Program.path))))
    #expect(names.contains("rename"))
    let starters: Set = [
      "system", "popen", "fork", "vfork", "_Fork", "clone", "clone3", "execl", "execle", "execlp", "execv",
      "execve", "execvp", "execvpe", "fexecve", "execveat", "posix_spawn", "posix_spawnp", "wordexp",
    ]
    #expect(names.filter { starters.contains($0) || $0.hasPrefix("$s10Foundation7ProcessC") } == ["posix_spawn"])
    // An editor, a pager, and commands that begin with an exclamation mark.
    #expect(try Self.sources(that: { $0.contains("posix_spawn(") }).keys.sorted() == ["reprise/Child.swift"])
    #expect(try Self.sources(that: { $0.contains("Child.") }).keys.sorted() == ["reprise/TerminalPrompt.swift"])
  }

  /// The lines of our sources that are such, by the file's path.
  private static func sources(that isWanted: (Substring) -> Bool) throws -> [String: [Substring]] {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources")
    var found: [String: [Substring]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: sources.path)
    where ["swift", "c", "h"].contains((name as NSString).pathExtension) {
      let lines = try String(contentsOf: sources.appending(path: name), encoding: .utf8).split(separator: "\n").filter(isWanted)
      if !lines.isEmpty { found[name] = lines }
    }
    return found
  }

  @Test("the one library that it loads by name is Open MPI's")
  func libraries() throws {
    let calls = try Self.sources { $0.contains("dlopen(") || $0.contains("dlmopen(") }.values.flatMap { $0 }
    #expect(calls.count == 1 && calls[0].contains(#"dlopen("libmpi.so.40","#))
  }
}

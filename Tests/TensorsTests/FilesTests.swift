import Foundation
import Tensors
import Testing

@Suite struct FilesTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test("what was written is read again, and nothing else is left in the folder")
  func roundTrip() throws {
    try writeAtomically(to: folder["a"], bytes: [1, 2, 3])
    #expect(try readFile(folder["a"], limit: 3) == [1, 2, 3])
    try writeAtomically(to: folder["a"], text: "")
    #expect(try readFile(folder["a"], limit: 0) == [])
    #expect(try folder.names == ["a"])
  }

  @Test("a failure while writing leaves the old file, and no other")
  func failure() throws {
    try writeAtomically(to: folder["a"], text: "old")
    let error = TensorError.malformed(path: "x", problem: "y")
    #expect(throws: error) {
      try writeAtomically(to: folder["a"]) { file throws(TensorError) in
        try file.write([1, 2, 3])
        throw error
      }
    }
    #expect(try readFile(folder["a"], limit: 10) == Array("old".utf8))
    #expect(try folder.names == ["a"])
  }

  @Test("a link is followed, and permissions stay")
  func linkAndMode() throws {
    let target = try folder.file("target", [0])
    #expect(chmod(target, 0o640) == 0)
    #expect(symlink(target, folder["link"]) == 0)
    try writeAtomically(to: folder["link"], text: "new")
    #expect(try readFile(target, limit: 10) == Array("new".utf8))
    var status = stat()
    #expect(lstat(folder["link"], &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(stat(target, &status) == 0 && status.st_mode & 0o777 == 0o640)
  }

  @Test("the system's reason is given")
  func reasons() {
    let missing = folder["no/such"]
    #expect(throws: TensorError.file(path: missing, reason: "No such file or directory")) {
      try writeAtomically(to: missing, text: "")
    }
    #expect(throws: TensorError.file(path: missing, reason: "No such file or directory")) {
      try readFile(missing, limit: 1)
    }
    #expect(throws: TensorError.file(path: folder.path, reason: "Is a directory")) {
      try readFile(folder.path, limit: 1)
    }
    #expect(throws: TensorError.file(path: folder.path, reason: "Is a directory")) {
      try writeAtomically(to: folder.path, text: "")
    }
    #expect(throws: TensorError.file(path: "a\0b", reason: "The name contains a zero byte")) {
      try writeAtomically(to: "a\0b", text: "")
    }
    #expect(throws: TensorError.file(path: "/dev/full", reason: "No space left on device")) {
      try writeAtomically(to: "/dev/full", text: "x")
    }
  }

  @Test("a pipe is read and written where somebody has its other end; nobody is waited for")
  func pipes() throws {
    let pipe = folder["pipe"]
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(try readFile(pipe, limit: 10) == [])
    #expect(throws: TensorError.file(path: pipe, reason: "Nobody is at the other end of this pipe")) {
      try writeAtomically(to: pipe, text: "x")
    }
    let reader = open(pipe, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    try writeAtomically(to: pipe, text: "kept")
    var bytes = [UInt8](repeating: 0, count: 10)
    #expect(read(reader, &bytes, 10) == 4 && bytes.prefix(4).elementsEqual("kept".utf8))
    let writer = open(pipe, O_WRONLY)
    #expect(write(writer, bytes, 4) == 4)
    close(writer)
    #expect(try readFile(pipe, limit: 10) == Array("kept".utf8))
    #expect(try folder.names == ["pipe"])
  }

  @Test("a file beyond the limit is refused, even one without end")
  func limits() throws {
    let file = try folder.file("a", [1, 2, 3])
    #expect(throws: TensorError.self) { try readFile(file, limit: 2) }
    #expect(throws: TensorError.self) { try readFile("/dev/zero", limit: 100_000) }
    #expect(try readFile("/proc/self/stat", limit: 100_000).count > 10, "a file whose size the system does not know")
  }
}

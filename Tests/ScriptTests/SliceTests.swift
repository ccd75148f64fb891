import Script
import Testing

@Suite("what a value follows from")
struct SliceTests {
  private func entries(_ texts: [String], giving: Set<Int> = [], done: [Int: Int] = [:]) -> [Slice.Entry] {
    texts.enumerated().map { place, text in
      Slice.Entry(
        number: place + 1, text: text, done: done[place + 1] ?? 100, givesAns: giving.contains(place + 1))
    }
  }

  private func lines(_ text: String, _ entries: [Slice.Entry]) -> [String] { Slice.of(text, in: entries).lines.map(\.text) }

  @Test("only what is needed, as it was when it was needed")
  func needed() {
    let typed = entries(["a = 1", "b = a + 1", "c = 5", "a = 7", "d = b * c"])
    #expect(lines("b", typed) == ["a = 1", "b = a + 1"])
    #expect(lines("d", typed) == ["a = 1", "b = a + 1", "c = 5", "d = b * c"])
    #expect(Slice.of("b", in: typed).changed.map(\.name) == ["a"])
    #expect(Slice.of("d", in: entries(["d = 1"])).changed.isEmpty)
    #expect(lines("a", typed) == ["a = 7"])
  }

  @Test("a function that is defined again becomes a value, and one that is called later reads what is there then")
  func functions() {
    let typed = entries([
      "fn lr() = 0.01", "fn g(x, y: \")\") { x * lr() }", "first = g(1)", "fn lr() = 0.02", "second = g(1)",
    ])
    #expect(
      lines("[first, second]", typed) == [
        "lr = () => 0.01", "fn g(x, y: \")\") { x * lr() }", "first = g(1)", "lr = () => 0.02", "second = g(1)",
      ])
    #expect(lines("first", typed) == ["fn lr() = 0.01", "fn g(x, y: \")\") { x * lr() }", "first = g(1)"])
    #expect(lines("second", typed).contains("lr = () => 0.02"))
  }

  @Test("ans is named, what failed counts as far as it came, and loops and files are followed")
  func others() {
    #expect(lines("x", entries(["20 + 1", "x = ans * 2"], giving: [1])) == ["ans = 20 + 1", "x = ans * 2"])
    #expect(lines("x", entries(["x = 1\nprint(y)\nx = 2"], done: [1: 1])) == ["x = 1"])
    #expect(lines("x", entries(["x = 1", "x = prnt("], done: [2: -1])) == ["x = 1"])
    #expect(
      lines("s", entries(["s = 0", "for i in 1...3 { s = s + i }", "t = s"])) == [
        "s = 0", "for i in 1...3 { s = s + i }",
      ])
    #expect(
      lines("m", entries(["n = 2", "write(n, to: \"a.txt\")", "m = read(\"a.txt\")"])) == [
        "n = 2", "write(n, to: \"a.txt\")", "m = read(\"a.txt\")",
      ])
    #expect(Slice.ofLast(in: entries(["a = 1", "b = 2", "c = a\nd = c"])).lines.map(\.text) == ["a = 1", "c = a", "d = c"])
  }
}

import Prompt
import Testing

@Suite("Pasted transcripts")
struct TranscriptTests {
  @Test("of a text that begins with a prompt, what stands behind prompts was typed")
  func transcript() {
    let pasted = "reprise> x = 1\nreprise> fn f() {\n    ...>   x\n    ...> }\nreprise> f()\n1\nreprise>"
    #expect(Transcript.typed(in: pasted) == "x = 1\nfn f() {\n  x\n}\nf()\n")
    #expect(Transcript.typed(in: "x = 1\n2") == "x = 1\n2")
  }

  @Test("an entry is read back from how it is shown", arguments: ["x = 1", "fn f() {\n\n  x\n}", ""])
  func shown(_ entry: String) {
    #expect(Transcript.typed(in: Transcript.shown(entry)) == entry)
  }
}

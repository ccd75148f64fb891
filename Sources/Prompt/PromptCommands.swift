internal import Foundation
internal import Notebook
internal import Script
internal import Tensors

/// All commands of the prompt, in the order that help lists them.
public let promptCommands: [PromptCommand] = [help, save, undo, time, who, edit, claims, reset, shell]

private let help = PromptCommand(
  ":help", .init(label: "COMMAND", kind: .command, isOptional: true),
  doc: "Lists these commands, or explains one. help NAME explains a function."
) { prompt, arguments in
  guard let name = arguments.first else { return prompt.terminal.help(promptCommands.table) }
  guard let command = promptCommands.named(name) ?? promptCommands.named(":" + name) else {
    return prompt.complain(PromptCall.Mistake.unknown(name))
  }
  prompt.terminal.help([command].table)
}

private let save = PromptCommand(
  ":save", .init(label: "FILE", kind: .file), .init(label: "NAME", kind: .name, isOptional: true),
  doc: "Writes what led to a value, or to the last entry, as a script that gives the same bits."
) { prompt, arguments in
  guard let script = prompt.notebook.script(for: arguments.count > 1 ? arguments[1] : nil) else {
    return prompt.terminal.complain("nothing that was typed gives that", hint: "name a value: :who lists yours")
  }
  let source = Source(":save \(arguments[0])", name: "<prompt>")
  do throws(ScriptError) {
    let path = try prompt.session.workingDirectory.writable(arguments[0], at: Span(source, 6..<source.text.utf8.count))
    guard !FileManager.default.fileExists(atPath: path) else {
      return prompt.terminal.complain("'\(arguments[0])' is there already", hint: "choose another name")
    }
    do throws(TensorError) { try writeAtomically(to: path, text: script) } catch {
      return prompt.terminal.complain("\(error)", hint: "choose another name")
    }
    prompt.terminal.report("wrote \(arguments[0])")
  } catch {
    prompt.terminal.report(ScriptFailure([error], stage: .run))
  }
}

private let undo = PromptCommand(
  ":undo",
  doc: "Takes back the last entry: all names have the values they had before. Runs, files and claims remain."
) { prompt, _ in
  guard let text = prompt.undo() else {
    return prompt.terminal.complain(
      "there is nothing to take back", hint: "the last \(PromptSession.mostStates) entries can be taken back")
  }
  let lines = text.split(separator: "\n")
  prompt.terminal.report("took back: \(lines.first ?? "")\(lines.count > 1 ? " …" : "")")
}

private let time = PromptCommand(
  ":time", .init(label: "STATEMENT", kind: .statement),
  doc: "Runs a statement and prints the time and the processor time that it took."
) { prompt, arguments in
  prompt.evaluate(arguments[0], showsTime: true)
}

private let who = PromptCommand(":who", doc: "Lists your names, each with the type of its value and the value.") { prompt, _ in
  let names = prompt.session.globalNames
  guard !names.isEmpty else { return prompt.terminal.print("no names so far") }
  let rows = names.map { name -> (name: String, type: String, value: String) in
    let value = prompt.session[name] ?? .none
    return (name, value.typeName, value.summary)
  }
  let (first, second) = (rows.map { DisplayWidth.of($0.name) }.max() ?? 0, rows.map(\.type.count).max() ?? 0)
  for row in rows {
    let line = "\(row.name.padded(to: first))  \(row.type.padded(to: second))  \(row.value)"
    prompt.terminal.print(line.cut(to: prompt.terminal.width))
  }
}

private let edit = PromptCommand(
  ":edit", .init(label: "NAME", kind: .name, isOptional: true),
  doc: "Opens the last entry, or the last that gave a name its value, in $VISUAL or $EDITOR, and runs the result."
) { prompt, arguments in
  let entries = prompt.notebook.entries
  let entry =
    arguments.first.map { name in
      entries.last { $0.source.givenNames.contains(name) || name == "ans" && $0.givesAns }
    } ?? entries.last
  guard let text = entry?.text ?? (arguments.isEmpty ? "" : nil) else {
    return prompt.terminal.complain("no entry gave '\(arguments[0])' its value", hint: ":who lists your names")
  }
  switch prompt.terminal.edited(text) {
  case .failure(let problem): prompt.terminal.complain(problem.text, hint: problem.hint)
  case .success(let changed):
    let changed = changed.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !changed.isEmpty, changed != text.trimmingCharacters(in: .whitespacesAndNewlines) else {
      return prompt.terminal.report("nothing was changed, so nothing runs")
    }
    prompt.terminal.echo(changed)
    prompt.evaluate(changed)
  }
}

private let claims = PromptCommand(":claims", doc: "Prints the claims made so far, with their verdicts.") { prompt, _ in
  prompt.terminal.print(prompt.notebook.claims.isEmpty ? "no claims so far" : prompt.notebook.claims.table)
}

private let reset = PromptCommand(
  ":reset",
  doc: "Forgets all names, entries and claims. Runs in the store remain, and :undo brings back names and entries."
) { prompt, _ in
  prompt.reset()
  prompt.terminal.report("all names are forgotten; :undo brings them back")
}

extension Value {
  /// One line about it: of a table that it would be printed as, this is enough.
  fileprivate var summary: String {
    guard case .object(let object) = self else { return literal }
    return object.summary.split(separator: "\n").first.map(String.init) ?? ""
  }
}

private let shell = PromptCommand(
  "!", .init(label: "COMMAND", kind: .shellCommand), doc: "Runs a command of the shell, such as !ls."
) { prompt, arguments in
  switch prompt.terminal.run(shellCommand: arguments[0]) {
  case .exited(0): break
  case .exited(let status): prompt.terminal.report("(exit status \(status))")
  case .signalled(let signal): prompt.terminal.report("(ended by signal \(signal))")
  case .notStarted(let reason): prompt.terminal.complain("the shell does not start: \(reason)", hint: "/bin/sh is needed")
  }
  if arguments[0].split(separator: " ").first == "cd" {
    prompt.terminal.report("(in a shell of its own: the prompt stays in its folder)")
  }
}

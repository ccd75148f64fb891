import ArgumentParser
import Foundation
import Prompt

/// The manual page, made from the declarations of the commands: mdoc, as `man` of every system reads it.
struct Manual {
  /// What the argument parser tells of itself.
  private struct Tool: Decodable { var command: Command }
  private struct Command: Decodable {
    var commandName: String
    var abstract, discussion: String?
    var arguments: [Argument]?
    var subcommands: [Command]?
    var shouldDisplay: Bool
  }
  private struct Argument: Decodable {
    struct Name: Decodable { var kind, name: String }
    var kind: String
    var abstract, defaultValue, valueName: String?
    var names: [Name]?
    var isOptional, isRepeating, shouldDisplay: Bool
  }

  var page: String {
    guard let tool = try? JSONDecoder().decode(Tool.self, from: Data(Reprise._dumpHelp().utf8)) else {
      preconditionFailure("the argument parser describes itself in JSON")
    }
    let commands = (tool.command.subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
    return """
      .\\" Made by reprise doc --man.
      .Dd $Mdocdate$
      .Dt REPRISE 1
      .Os
      .Sh NAME
      .Nm reprise
      .Nd reproducible research on image classifiers
      .Sh SYNOPSIS
      .Nm
      .Op Ar command
      .Op Ar argument ...
      .Sh DESCRIPTION
      .Nm
      trains, prunes, quantizes and evaluates image classifiers from short scripts, stores every run, plots to PNG files,
      and says whether a reported number was reproduced.
      \(escaped(tool.command.discussion ?? ""))
      .Sh COMMANDS
      \(commands.map { section($0, path: []) }.joined(separator: "\n"))
      .Sh EXIT STATUS
      .Bl -tag -width 4n
      \(Self.statuses.map { ".It \($0)\n\(escaped($1))" }.joined(separator: "\n"))
      .El
      .Sh ENVIRONMENT
      .Bl -tag -width Ds
      .It Ev NO_COLOR
      If set, messages have no colours.
      .It Ev XDG_STATE_HOME
      The history of the prompt is stored below it, in
      .Pa reprise/history .
      .It Ev INPUTRC
      The key bindings of the prompt, as for every program with GNU readline. The program's name in it is
      .Ql reprise .
      .It Ev VISUAL , EDITOR
      The editor of the prompt's
      .Ql :edit .
      .It Ev PAGER
      Shows help at the prompt that is longer than the screen. Default:
      .Ql less .
      .El
      .Sh COMMANDS OF THE PROMPT
      .Bl -tag -width Ds
      \(promptCommands.map { ".It Li \(escaped($0.usage))\n\(escaped($0.doc))" }.joined(separator: "\n"))
      .El
      .Sh FILES
      .Bl -tag -width Ds
      .It Pa .reprise/
      The run store in the working directory: a database, weights and checkpoints.
      .El
      .Sh EXAMPLES
      .Dl reprise run examples/first.reprise --report first.html
      .Dl reprise plan examples/first.reprise
      .Dl reprise why plots/first.png
      .Sh SEE ALSO
      .Ql reprise doc
      prints the reference of the language;
      .Ql reprise doc train
      prints the entry of one name.

      """
  }

  private func section(_ command: Command, path: [String]) -> String {
    let path = path + [command.commandName]
    let shown = (command.subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
    if !shown.isEmpty { return shown.map { section($0, path: path) }.joined(separator: "\n") }
    let arguments = (command.arguments ?? []).filter { $0.shouldDisplay && $0.names?.contains { $0.name == "help" || $0.name == "version" } != true }
    var lines = [".Ss \(path.joined(separator: " ")) \(arguments.filter { $0.kind == "positional" }.map(usage).joined(separator: " "))"]
    lines.append(escaped(command.abstract ?? ""))
    if let discussion = command.discussion { lines += [".Pp", escaped(discussion)] }
    guard !arguments.isEmpty else { return lines.joined(separator: "\n") }
    lines.append(".Bl -tag -width Ds")
    for argument in arguments {
      lines.append(".It \(usage(argument))")
      var text = argument.abstract ?? ""
      if let value = argument.defaultValue, argument.kind == "option" { text += " (default: \(value))" }
      lines.append(escaped(text))
    }
    lines.append(".El")
    return lines.joined(separator: "\n")
  }

  /// `.Fl -threads Ar threads`, or the name of an argument by place.
  private func usage(_ argument: Argument) -> String {
    let value = argument.valueName ?? "value"
    let dots = argument.isRepeating ? " ..." : ""
    if argument.kind == "positional" { return "Ar \(value)\(dots)" }
    let names = (argument.names ?? []).map { $0.kind == "long" ? "Fl -\($0.name)" : "Fl \($0.name)" }
    return names.joined(separator: " , ") + (argument.kind == "option" ? " Ar \(value)\(dots)" : "")
  }

  /// Text that roff takes for text: no line begins with a control character.
  private func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\e").split(separator: "\n", omittingEmptySubsequences: true).map { line in
      line.first == "." || line.first == "'" ? "\\&" + line : String(line)
    }.joined(separator: "\n")
  }

  private static let statuses = [
    ("0", "The script ran, and no claim failed."),
    ("1", "A claim was not reproduced, or a replay differs; with --strict, a claim is undecided."),
    ("2", "The script has errors that the check found; nothing ran."),
    ("3", "The script failed while it ran."),
    ("4", "Data or weights that the script needs do not exist."),
    ("64", "Wrong usage of the command line."),
    ("130", "Interrupted."),
    ("143", "Terminated: by kill, by a terminal that was closed, or by a limit of processor time."),
  ]
}

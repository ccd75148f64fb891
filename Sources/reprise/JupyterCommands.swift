import ArgumentParser
import Foundation
import Jupyter
import Notebook
import Tensors

/// The kernel of Jupyter.
struct JupyterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jupyter", abstract: "Installs or runs the kernel for Jupyter, VS Code, nbconvert and papermill.",
    subcommands: [Install.self, RunKernel.self])

  struct Install: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "install", abstract: "Tells Jupyter of the kernel, in your data folder or below a prefix.")

    @Option(help: ArgumentHelp("Writes below PREFIX/share/jupyter, such as a virtual environment's.", valueName: "prefix"))
    var prefix: String?

    func run() throws {
      let environment = ProcessInfo.processInfo.environment
      let folder = prefix.map { $0 + "/share/jupyter/kernels/reprise" } ?? KernelSpecification.folder(environment)
      guard let program = Bundle.main.executablePath else {
        Streams.writeError("reprise: the path of this program is not known\n")
        throw ExitCode(Status.runtime)
      }
      do {
        try KernelSpecification.install(program: program, in: folder)
      } catch {
        Streams.writeError("reprise: \(error.localizedDescription)\n  hint: --prefix names another place\n")
        throw ExitCode(Status.runtime)
      }
      Streams.writeLine("installed the kernel 'reprise' in \(folder)")
    }
  }

  struct RunKernel: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "run", abstract: "Runs the kernel; Jupyter calls this.")

    @Argument(help: "Connection file.")
    var connection: String

    @OptionGroup var compute: ComputeOptions

    func run() throws {
      Signals.install(endsOnSecond: false)
      let parent = getppid()
      do throws(JupyterError) {
        let kernel = try Kernel(
          try Connection(contentsOf: connection), version: programVersion, interruption: Signals.interruption,
          notebook: { showProgress, showNote in
            NotebookSession(
              threads: compute.threads, seed: compute.seed, convolvesDirectly: compute.direct, isFresh: compute.fresh,
              acceptsBuilds: compute.acceptBuilds, checkpointInterval: compute.checkpointEvery,
              showProgress: showProgress, showNote: showNote)
          }, complain: { Streams.writeError("reprise: \($0)\n") })
        // Whoever started the kernel may end without a word: then the system has given it another parent.
        kernel.run { Signals.isTerminating || getppid() != parent }
      } catch {
        Streams.writeError("reprise: \(error)\n")
        throw ExitCode(Status.runtime)
      }
    }
  }
}

/// Scripts to notebooks and back.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a notebook (.ipynb) of a script with '# %%' cells, or a script of a notebook.",
    discussion: "A script comes back byte for byte. Of a notebook, outputs are left out: running it makes them again.")

  @Argument(help: "Script or notebook.")
  var file: String

  @Option(name: .customLong("to"), help: "File that is written. Default: the same name with the other ending.")
  var output: String?

  @Flag(help: "Writes over a file that is there.")
  var force = false

  func run() throws {
    let isNotebook = file.hasSuffix(".ipynb")
    let base = (file as NSString).deletingPathExtension
    let target = output ?? base + (isNotebook ? ".reprise" : ".ipynb")
    do {
      // A notebook holds the pictures of its outputs.
      let bytes = try readFile(file, limit: 1 << 30)
      guard force || !FileManager.default.fileExists(atPath: target) else {
        Streams.writeError("reprise: '\(target)' is there already\n  hint: --force writes over it, --to names another file\n")
        throw ExitCode(Status.usage)
      }
      if isNotebook {
        try writeAtomically(to: target, text: try NotebookFile.cells(bytes, path: file).script)
      } else {
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw JupyterError.notebook(path: file, problem: "is no text in UTF-8")
        }
        try writeAtomically(to: target, bytes: NotebookFile.bytes(ScriptCells(script: text)))
      }
      Streams.writeError("wrote \(target)\n")
    } catch let code as ExitCode {
      throw code
    } catch {
      Streams.writeError("reprise: \(error)\n")
      throw ExitCode(Status.runtime)
    }
  }
}

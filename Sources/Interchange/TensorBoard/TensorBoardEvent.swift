/// What TensorBoard is told: one record of an event file.
///
/// The messages are those of TensorFlow's `event.proto`, `summary.proto` and `tensor.proto`, and of TensorBoard's
/// `plugins/hparams/plugin_data.proto`; numbers of fields stand there.
public enum TensorBoardEvent: Hashable, Sendable {
  /// The first record of every file.
  case version
  /// What follows takes the place of all that older files of the folder say.
  case start
  case scalar(tag: String, value: Double)
  /// - Parameters: pixels, and a whole PNG file.
  case image(tag: String, width: Int, height: Int, png: [UInt8])
  case text(tag: String, markdown: String)
  /// The settings of a run, a row of the page of hyperparameters.
  case settings([String: Setting])
  /// How the run of the settings ended.
  case end(succeeded: Bool)

  public enum Setting: Hashable, Sendable {
    case number(Double)
    case flag(Bool)
    case text(String)
  }

  /// The message.
  /// - Parameter time: seconds since 1970.
  package func bytes(step: Int, time: Double) -> [UInt8] {
    var event = ProtobufMessage()
    event.add(1, double: time)
    if step != 0 { event.add(2, integer: step) }
    switch self {
    case .version:
      event.add(3, text: "brain.Event:2")
      event.add(10) { $0.add(1, text: "reprise") }
    case .start: event.add(7) { $0.add(1, integer: 1) }
    case .scalar(let tag, let value): event.addValue(tag) { $0.add(2, float: Float(value)) }
    case .image(let tag, let width, let height, let png):
      event.addValue(tag) { value in
        value.add(4) { image in
          image.add(1, integer: height)
          image.add(2, integer: width)
          // Red, green, blue.
          image.add(3, integer: 3)
          image.add(4, bytes: png)
        }
      }
    case .text(let tag, let markdown):
      event.addValue(tag, plugin: "text") { value in
        value.add(8) { tensor in
          // DT_STRING, of rank 0.
          tensor.add(1, integer: 7)
          tensor.add(2, bytes: [])
          tensor.add(8, text: markdown)
        }
      }
    case .settings(let settings):
      event.addSession("session_start_info") { data in
        data.add(3) { start in
          for (name, setting) in settings.sorted(by: { $0.key < $1.key }) {
            start.add(1) { entry in
              entry.add(1, text: name)
              entry.add(2) { value in
                switch setting {
                case .number(let number): value.add(2, double: number)
                case .text(let text): value.add(3, text: text)
                case .flag(let flag): value.add(4, integer: flag ? 1 : 0)
                }
              }
            }
          }
          start.add(5, double: time)
        }
      }
    case .end(let succeeded):
      event.addSession("session_end_info") { data in
        data.add(4) { end in
          end.add(1, integer: succeeded ? 1 : 2)
          end.add(2, double: time)
        }
      }
    }
    return event.bytes
  }
}

extension ProtobufMessage {
  /// Adds a summary of one value to an event.
  /// - Parameter plugin: the page that shows it, with what that page alone reads; nil where the value says it.
  fileprivate mutating func addValue(
    _ tag: String, plugin: String? = nil, content: [UInt8] = [], _ build: (inout ProtobufMessage) -> Void
  ) {
    add(5) { summary in
      summary.add(1) { value in
        value.add(1, text: tag)
        build(&value)
        if let plugin {
          value.add(9) { metadata in
            metadata.add(1) { data in
              data.add(1, text: plugin)
              if !content.isEmpty { data.add(2, bytes: content) }
            }
          }
        }
      }
    }
  }

  /// Adds what the page of hyperparameters reads, beside a tensor without a number.
  fileprivate mutating func addSession(_ name: String, _ build: (inout ProtobufMessage) -> Void) {
    var content = ProtobufMessage()
    build(&content)
    addValue("_hparams_/\(name)", plugin: "hparams", content: content.bytes) { value in
      value.add(8) { tensor in
        // DT_FLOAT, of shape [0].
        tensor.add(1, integer: 1)
        tensor.add(2) { $0.add(2, bytes: []) }
      }
    }
  }
}

internal import Charts
public import Script

/// The curves of a training run, to be looked at beside the text; no file is written.
public struct RunCurves {
  private let run: RunValue

  /// Nil for what is no stored run of two epochs or more.
  public init?(_ value: Value) {
    guard case .object(let object) = value, let run = object as? RunValue, run.epochs.count > 1, !run.id.isEmpty
    else { return nil }
    self.run = run
  }

  /// How the store calls the run.
  public var id: String { run.id }

  /// Loss and top-1 accuracy over the epochs, as a PNG image; empty where it cannot be drawn.
  public var png: [UInt8] {
    func panel(_ curves: [SeriesValue]) -> Panel {
      let values = curves.flatMap(\.y)
      return Panel(
        x: Axis("epoch"), y: Axis(curves[0].quantity, scale: .suggested(forValues: values, called: curves[0].quantity)),
        marks: curves.map { .line(Series($0.part, x: $0.x, y: $0.y)) })
    }
    let chart = Chart(
      run.summary, width: 960, height: 360,
      panels: [panel([run.trainLoss, run.validationLoss]), panel([run.trainTop1, run.validationTop1])])
    do { return try chart.render() } catch { return [] }
  }
}

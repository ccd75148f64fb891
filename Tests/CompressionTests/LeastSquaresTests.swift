import Compression
import Tensors
import Testing

/// `Goldens/least-squares.json`, by scikit-learn; see `Goldens/least-squares.py`.
private struct Golden: Decodable, Sendable {
  struct LassoCase: Decodable, Sendable { var z: [[Double]], y, penalties: [Double], coefficients, lars: [[Double]] }
  struct SelectionCase: Decodable, Sendable {
    var x, w, y: [[Double]], area: Int, chosen: [String: [Int]], reconstructions: [String: [[Double]]]
  }
  struct DependentCase: Decodable, Sendable { var x, y, coefficients: [[Double]] }
  var lasso: [LassoCase]
  var selection: [SelectionCase]
  var dependent: DependentCase

  static let shared = CompressionGolden.read(Golden.self, "least-squares")
}

private func matrix(_ rows: [[Double]]) throws -> Matrix {
  try Matrix(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
}

/// The largest difference, in units of the largest number of the second list.
private func difference(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(b.map(abs).max() ?? 0, 1e-300)
}

@Suite("least squares and LASSO") struct LeastSquaresTests {
  @Test("LASSO's coefficients are scikit-learn's, by coordinate descent and by LARS", arguments: [0, 1])
  func lasso(_ place: Int) throws {
    let golden = Golden.shared.lasso[place]
    let (z, rows) = (try matrix(golden.z), Double(golden.y.count))
    let y = try Matrix(golden.y, shape: [golden.y.count, 1])
    let lasso = Lasso(
      gram: try LinearAlgebra.product(z, transposedWith: z).map { $0 / rows },
      cross: try LinearAlgebra.product(z, transposedWith: y).elements.map { $0 / rows })
    for (penalty, (descent, lars)) in zip(golden.penalties, zip(golden.coefficients, golden.lars)) {
      let own = lasso.coefficients(penalty: penalty)
      // Both stop when nothing moves by more than about 1e-9 of the largest coefficient.
      #expect(difference(own, descent) < 1e-7)
      #expect(difference(own, lars) < 1e-6)
      #expect(own.map { $0 == 0 } == descent.map { $0 == 0 })
    }
  }

  private func statistics(_ golden: Golden.SelectionCase) throws -> LayerStatistics {
    var statistics = try LayerStatistics(columns: golden.x[0].count, outputs: golden.y[0].count)
    // In two batches, as they come.
    for part in [golden.x.indices.prefix(25), golden.x.indices.dropFirst(25)] {
      let (x, y) = (part.flatMap { golden.x[$0] }, part.flatMap { golden.y[$0] })
      statistics.add(x, y, rows: part.count)
    }
    statistics.finish()
    return statistics
  }

  @Test("the channels chosen for each number are those that scikit-learn's LARS leaves", arguments: [0, 1])
  func selection(_ place: Int) throws {
    let golden = Golden.shared.selection[place]
    let statistics = try statistics(golden)
    let channels = golden.x[0].count / golden.area
    let columns = (0..<channels).map { Array($0 * golden.area..<($0 + 1) * golden.area) }
    let weights = try Tensor(golden.w.flatMap { $0 }.map { Float($0) }, shape: [golden.w.count, golden.w[0].count])
    let shares = try statistics.shares(weights, of: columns, fixed: [])
    let rows = Double(golden.x.count * golden.y[0].count)
    let lasso = Lasso(gram: shares.gram.map { $0 / rows }, cross: shares.cross.map { $0 / rows })
    #expect(golden.chosen.count == channels - 1)
    for (count, chosen) in golden.chosen { #expect(lasso.selection(count: Int(count)!) == chosen) }
  }

  @Test("reconstructed weights are those of scikit-learn's least squares", arguments: [0, 1])
  func reconstruction(_ place: Int) throws {
    let golden = Golden.shared.selection[place]
    let statistics = try statistics(golden)
    for (count, expected) in golden.reconstructions {
      let columns = golden.chosen[count]!.flatMap { $0 * golden.area..<($0 + 1) * golden.area }
      let own = try statistics.reconstruction(from: columns)
      let all = golden.x[0].count
      let kept = (0..<golden.y[0].count).flatMap { o in columns.map { Double(own[flat: o * all + $0]) } }
      // Weights are kept in float32.
      #expect(difference(kept, expected.flatMap { $0 }) < 1e-6)
      let isKept = Set(columns)
      #expect((0..<own.count).allSatisfy { isKept.contains($0 % all) || own[flat: $0] == 0 })
    }
  }

  @Test("of dependent columns the shortest solution is taken, as scikit-learn does") func dependent() throws {
    let golden = Golden.shared.dependent
    let (x, y) = (try matrix(golden.x), try matrix(golden.y))
    let own = try LinearAlgebra.leastSquares(
      gram: try LinearAlgebra.product(x, transposedWith: x), cross: try LinearAlgebra.product(x, transposedWith: y))
    let transposed = (0..<3).flatMap { o in (0..<8).map { own[flat: $0 * 3 + o] } }
    // What the last round's rounding, 1e-16, is divided by is 1e-8.
    #expect(difference(transposed, golden.coefficients.flatMap { $0 }) < 1e-6)
  }
}

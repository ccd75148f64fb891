internal import CLAPACK
package import Tensors

/// A failure of a LAPACK routine.
public struct LinearAlgebraError: Error, Hashable, Sendable, CustomStringConvertible {
  public let routine: String
  /// What it returned: below zero the number of a wrong argument, above zero that it found no answer.
  public let code: Int
  public var description: String { "LAPACK's \(routine) found no answer (\(code))" }
}

/// Double-precision matrices, row-major, `[rows, columns]`.
package typealias Matrix = NDArray<Double>

extension Matrix {
  /// The numbers where some rows and columns meet.
  func part(rows: [Int], columns: [Int]) throws(TensorError) -> Matrix {
    let all = shape[1]
    var part = try Matrix(zeros: [rows.count, columns.count])
    part.withUnsafeMutableElements { part in
      withUnsafeElements { a in
        var place = 0
        for row in rows {
          for column in columns {
            part[place] = a[row * all + column]
            place += 1
          }
        }
      }
    }
    return part
  }
}

/// Dense linear algebra by OpenBLAS and LAPACK, on one thread: a team of its own would wait for the engine's, and the
/// sums would follow the number of threads.
package enum LinearAlgebra {
  private static let isSequential: Bool = {
    openblas_set_num_threads(1)
    return true
  }()

  static func zeros(_ rows: Int, _ columns: Int) throws(TensorError) -> Matrix { try Matrix(zeros: [rows, columns]) }

  /// Adds `aᵀ b` to a matrix; only the upper triangle where `a` and `b` are one.
  /// - Parameters:
  ///   - a: `rows` rows of `m` numbers.
  ///   - b: `rows` rows of `n` numbers.
  static func addProduct(
    _ a: UnsafePointer<Double>, _ m: Int, _ b: UnsafePointer<Double>, _ n: Int, rows: Int, to result: inout Matrix
  ) {
    _ = isSequential
    let isOne = a == b && m == n
    result.withUnsafeMutableElements { c in
      if isOne {
        cblas_dsyrk(
          CblasRowMajor, CblasUpper, CblasTrans, blasint(m), blasint(rows), 1, a, blasint(m), 1, c.baseAddress!,
          blasint(m))
      } else {
        cblas_dgemm(
          CblasRowMajor, CblasTrans, CblasNoTrans, blasint(m), blasint(n), blasint(rows), 1, a, blasint(m), b,
          blasint(n), 1, c.baseAddress!, blasint(n))
      }
    }
  }

  /// `aᵀ b` of two matrices with as many rows.
  package static func product(_ a: Matrix, transposedWith b: Matrix) throws(TensorError) -> Matrix {
    var result = try zeros(a.shape[1], b.shape[1])
    a.withUnsafeElements { x in
      b.withUnsafeElements { y in
        addProduct(x.baseAddress!, a.shape[1], y.baseAddress!, b.shape[1], rows: a.shape[0], to: &result)
      }
    }
    if a.shape == b.shape, a == b { mirror(&result) }
    return result
  }

  /// Copies the upper triangle to the lower one.
  static func mirror(_ matrix: inout Matrix) {
    let n = matrix.shape[0]
    matrix.withUnsafeMutableElements { a in
      for i in 0..<n { for j in 0..<i { a[i * n + j] = a[j * n + i] } }
    }
  }

  /// The `x` that makes `|y − a x|²` least, column by column, from `aᵀ a` and `aᵀ y`; of several the shortest.
  ///
  /// A column of zeros, as a channel has that never opens, gets zeros. The rest by Cholesky's factors; where those tell
  /// that columns depend on each other, as they do where there are fewer rows than columns, by Tikhonov's regularization,
  /// iterated: each of six rounds leaves the share `μ / (λ + μ)` of the error along a direction of eigenvalue `λ`, and
  /// nothing comes into the directions that `a` does not see (Engl et al. 1996, "Regularization of Inverse Problems",
  /// section 5.1). With `μ` of 1e-8 of the largest diagonal number, directions above 1e-7 come out to 1e-6, and those far
  /// below `μ` are left out, for a fraction of what singular values cost.
  /// - Parameters:
  ///   - gram: `aᵀ a`, `[n, n]`.
  ///   - cross: `aᵀ y`, `[n, m]`.
  /// - Throws: `LinearAlgebraError`; `TensorError` where there is too little memory.
  package static func leastSquares(gram: Matrix, cross: Matrix) throws -> Matrix {
    _ = isSequential
    let (n, m) = (gram.shape[0], cross.shape[1])
    if let factors = try factors(of: gram, leastCondition: 1e-11) { return try solved(factors, cross) }
    let diagonal = gram.withUnsafeElements { a in (0..<n).map { a[$0 * n + $0] } }
    let seen = diagonal.indices.filter { diagonal[$0] > 0 }
    guard let largest = diagonal.max(), largest > 0 else { return cross.map { _ in 0 } }
    if seen.count < n {
      let part = try leastSquares(
        gram: try gram.part(rows: seen, columns: seen), cross: cross.part(rows: seen, columns: Array(0..<m)))
      var whole = cross.map { _ in 0.0 }
      whole.withUnsafeMutableElements { whole in
        for (i, row) in seen.enumerated() { for o in 0..<m { whole[row * m + o] = part[flat: i * m + o] } }
      }
      return whole
    }
    var regular = gram
    regular.withUnsafeMutableElements { a in for i in 0..<n { a[i * n + i] += 1e-8 * largest } }
    guard let factors = try factors(of: regular, leastCondition: 0) else {
      throw LinearAlgebraError(routine: "dpotrf", code: 1)
    }
    var solution = try solved(factors, cross)
    for _ in 0..<5 {
      var rest = cross
      rest.withUnsafeMutableElements { r in
        gram.withUnsafeElements { a in
          solution.withUnsafeElements { x in
            cblas_dsymm(
              CblasRowMajor, CblasLeft, CblasUpper, blasint(n), blasint(m), -1, a.baseAddress!, blasint(n),
              x.baseAddress!, blasint(m), 1, r.baseAddress!, blasint(m))
          }
        }
      }
      let step = try solved(factors, rest)
      step.withUnsafeElements { d in solution.withUnsafeMutableElements { x in for i in x.indices { x[i] += d[i] } } }
    }
    return solution
  }

  /// Cholesky's upper factor of a symmetric matrix; nil where it is not positive, or the reciprocal of its condition is
  /// less than asked for.
  private static func factors(of matrix: Matrix, leastCondition: Double) throws(LinearAlgebraError) -> Matrix? {
    let n = Int32(matrix.shape[0])
    var factors = matrix
    let (status, condition) = factors.withUnsafeMutableElements { a -> (Int32, Double) in
      let norm = leastCondition > 0 ? LAPACKE_dlansy(LAPACK_ROW_MAJOR, one, upper, n, a.baseAddress!, n) : 0
      let status = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, upper, n, a.baseAddress!, n)
      var condition = 0.0
      guard status == 0, leastCondition > 0 else { return (status, condition) }
      return (LAPACKE_dpocon(LAPACK_ROW_MAJOR, upper, n, a.baseAddress!, n, norm, &condition), condition)
    }
    guard status >= 0 else { throw LinearAlgebraError(routine: "dpotrf", code: Int(status)) }
    return status == 0 && condition >= leastCondition ? factors : nil
  }

  private static func solved(_ factors: Matrix, _ right: Matrix) throws(LinearAlgebraError) -> Matrix {
    let (n, m) = (Int32(right.shape[0]), Int32(right.shape[1]))
    var solution = right
    let status = factors.withUnsafeElements { a in
      solution.withUnsafeMutableElements { b in
        LAPACKE_dpotrs(LAPACK_ROW_MAJOR, upper, n, m, a.baseAddress!, n, b.baseAddress!, m)
      }
    }
    guard status == 0 else { throw LinearAlgebraError(routine: "dpotrs", code: Int(status)) }
    return solution
  }

  /// LAPACK's letters: the upper triangle, and the norm of the largest column's sum.
  private static let (upper, one) = (CChar(UInt8(ascii: "U")), CChar(UInt8(ascii: "1")))
}

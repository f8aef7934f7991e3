using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Maps a point of the result to a point of the source through a perspective: ((ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1)).</summary>
internal readonly record struct PerspectiveMap(double A, double B, double C, double D, double E, double F, double G, double H) : IPixelMap
{
    private const int Unknowns = 8;

    /// <inheritdoc />
    public (double X, double Y) Map(double x, double y) =>
        (((A * x) + (B * y) + C) / ((G * x) + (H * y) + 1), ((D * x) + (E * y) + F) / ((G * x) + (H * y) + 1));

    /// <inheritdoc />
    public (Vector256<double> X, Vector256<double> Y) Map(Vector256<double> x, Vector256<double> y)
    {
        var depth = (x * G) + (y * H) + Vector256<double>.One;
        return (((x * A) + (y * B) + Vector256.Create(C)) / depth, ((x * D) + (y * E) + Vector256.Create(F)) / depth);
    }

    /// <summary>The map that brings four corners to four others.</summary>
    /// <param name="start">Corners of the source: top left, top right, bottom right, bottom left.</param>
    /// <param name="end">Where they lie in the result, in the same order.</param>
    /// <remarks>Source: torchvision <c>_get_perspective_coeffs</c>, which solves in double and rounds to float32. Parity: exact but for a coefficient that lies on a rounding boundary.</remarks>
    public static PerspectiveMap Between(ReadOnlySpan<(int X, int Y)> start, ReadOnlySpan<(int X, int Y)> end)
    {
        // Two equations for each corner; the right-hand side stands in the last column.
        var system = new double[Unknowns, Unknowns + 1];
        for (var i = 0; i < start.Length; i++)
        {
            ReadOnlySpan<double> forX = [end[i].X, end[i].Y, 1, 0, 0, 0, -(double)start[i].X * end[i].X, -(double)start[i].X * end[i].Y, start[i].X];
            ReadOnlySpan<double> forY = [0, 0, 0, end[i].X, end[i].Y, 1, -(double)start[i].Y * end[i].X, -(double)start[i].Y * end[i].Y, start[i].Y];
            for (var column = 0; column <= Unknowns; column++)
            {
                system[2 * i, column] = forX[column];
                system[(2 * i) + 1, column] = forY[column];
            }
        }

        var solution = Solve(system);
        return new PerspectiveMap(
            (float)solution[0], (float)solution[1], (float)solution[2], (float)solution[3],
            (float)solution[4], (float)solution[5], (float)solution[6], (float)solution[7]);
    }

    // Gaussian elimination with partial pivoting, then one step of refinement: the error stays below float32's rounding.
    private static double[] Solve(double[,] system)
    {
        var original = (double[,])system.Clone();
        var solution = Eliminate(system);
        var residual = (double[,])original.Clone();
        for (var row = 0; row < Unknowns; row++)
        {
            var rest = new DoubleDouble(original[row, Unknowns]);
            for (var column = 0; column < Unknowns; column++)
            {
                rest = rest.MinusProduct(original[row, column], solution[column]);
            }

            residual[row, Unknowns] = rest.Value;
        }

        var correction = Eliminate(residual);
        for (var i = 0; i < Unknowns; i++)
        {
            solution[i] += correction[i];
        }

        return solution;
    }

    private static double[] Eliminate(double[,] system)
    {
        for (var pivot = 0; pivot < Unknowns; pivot++)
        {
            var best = pivot;
            for (var row = pivot + 1; row < Unknowns; row++)
            {
                best = Math.Abs(system[row, pivot]) > Math.Abs(system[best, pivot]) ? row : best;
            }

            for (var column = pivot; column <= Unknowns; column++)
            {
                (system[pivot, column], system[best, column]) = (system[best, column], system[pivot, column]);
            }

            for (var row = pivot + 1; row < Unknowns; row++)
            {
                var factor = system[row, pivot] / system[pivot, pivot];
                for (var column = pivot; column <= Unknowns; column++)
                {
                    system[row, column] -= factor * system[pivot, column];
                }
            }
        }

        var solution = new double[Unknowns];
        for (var row = Unknowns - 1; row >= 0; row--)
        {
            var rest = system[row, Unknowns];
            for (var column = row + 1; column < Unknowns; column++)
            {
                rest -= system[row, column] * solution[column];
            }

            solution[row] = rest / system[row, row];
        }

        return solution;
    }

    /// <summary>A sum kept in two doubles, so that a small difference of large products keeps its digits.</summary>
    private readonly record struct DoubleDouble(double High, double Low = 0)
    {
        public double Value => High + Low;

        public DoubleDouble MinusProduct(double a, double b)
        {
            var product = a * b;
            var productRest = Math.FusedMultiplyAdd(a, b, -product);
            var sum = High - product;
            var taken = sum - High;
            var sumRest = (High - (sum - taken)) + (-product - taken);
            return new DoubleDouble(sum, Low + sumRest - productRest);
        }
    }
}

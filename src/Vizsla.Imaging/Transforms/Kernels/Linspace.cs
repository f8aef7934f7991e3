namespace Vizsla.Transforms;

/// <summary>Evenly spaced float32 numbers with torch's roundings: each half counts from its own end, with one rounding per number.</summary>
/// <remarks>Source: <c>torch.linspace</c>. Parity: exact.</remarks>
internal static class Linspace
{
    /// <summary>One number of the row.</summary>
    /// <param name="start">First number.</param>
    /// <param name="end">Last number.</param>
    /// <param name="index">0 to <paramref name="count"/> - 1.</param>
    /// <param name="count">How many numbers the row has.</param>
    public static float At(float start, float end, int index, int count)
    {
        if (count == 1)
        {
            return start;
        }

        var step = (end - start) / (count - 1);
        return index < count / 2
            ? MathF.FusedMultiplyAdd(step, index, start)
            : MathF.FusedMultiplyAdd(-step, count - 1 - index, end);
    }

    /// <summary>The whole row.</summary>
    public static void Fill(Span<float> numbers, double start, double end)
    {
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = At((float)start, (float)end, i, numbers.Length);
        }
    }
}

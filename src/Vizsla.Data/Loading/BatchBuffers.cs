namespace Vizsla.Loading;

/// <summary>The arrays of a batch, pinned so that libtorch can read them where they lie.</summary>
/// <param name="Pixels">Floats.</param>
/// <param name="Labels">Class numbers.</param>
/// <param name="Rows">Rows of the dataset.</param>
internal sealed record BatchBuffers(float[] Pixels, long[] Labels, int[] Rows)
{
    public static BatchBuffers Create(int count, int values) => new(
        GC.AllocateUninitializedArray<float>(values, pinned: true),
        GC.AllocateUninitializedArray<long>(count, pinned: true),
        new int[count]);
}

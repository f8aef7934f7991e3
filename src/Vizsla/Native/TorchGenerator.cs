using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>libtorch's global generator on the CPU, from which dropout draws.</summary>
/// <remarks>
/// Process-wide: two trainings in one process disturb each other's dropout. TorchSharp's <c>get_rng_state</c> and <c>set_rng_state</c> hand a generator to
/// libtorch that nothing holds meanwhile, so a collection at that moment frees it under the call and the process dies; here it is held.
/// </remarks>
internal static class TorchGenerator
{
    /// <summary>Starts it over: <c>torch.manual_seed(seed)</c>, also on every GPU.</summary>
    public static void Seed(long seed) => manual_seed(seed).Dispose();

    /// <summary>The state in torch's layout.</summary>
    public static byte[] GetState()
    {
        using var generator = Generator.Default;
        using var state = generator.get_state();
        return state.data<byte>().ToArray();
    }

    /// <summary>Puts a state back.</summary>
    public static void SetState(byte[] bytes)
    {
        using var state = tensor(bytes, dtype: ScalarType.Byte);
        using var generator = Generator.Default;
        generator.set_state(state);
    }

    /// <summary>Draws the 64 bits that Python's <c>DataLoader</c> draws for its workers' seed each time it is iterated.</summary>
    public static void DrawLoaderSeed() => Lend(rng => rng.NextInt64());

    /// <summary>Lends the generator's stream to managed code and takes back where it then stands.</summary>
    public static void Lend(Action<Rng> draw)
    {
        var rng = new Rng(0);
        rng.SetState(GetState());
        draw(rng);
        SetState(rng.GetState());
    }
}

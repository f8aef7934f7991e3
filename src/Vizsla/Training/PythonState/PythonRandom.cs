using System.Buffers.Binary;
using System.Text;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Training.Checkpoints;
using static TorchSharp.torch;

namespace Vizsla.Training.PythonState;

/// <summary>The generators' states in Python's <c>rng_state.pth</c>.</summary>
/// <param name="Torch">State of torch's CPU generator, the bytes of <c>torch.get_rng_state()</c>.</param>
/// <param name="Numpy">State of numpy's global generator; null where the file has none.</param>
/// <param name="Python">State of Python's <c>random</c>; null where the file has none.</param>
/// <remarks>Source: <c>Trainer._save_rng_state</c> of transformers. Parity: exact.</remarks>
internal sealed record PythonRandom(byte[] Torch, MersenneState? Numpy, MersenneState? Python)
{
    /// <summary>The file's name in a checkpoint of one process.</summary>
    public const string FileName = "rng_state.pth";

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="TrainingException">The file is damaged or holds something else.</exception>
    public static PythonRandom Read(string path)
    {
        try
        {
            using var file = PickleCheckpoint.Open(path, keepOtherObjects: true);
            var root = new PickleValues(path, file.Root).Map("cpu");
            if (root.Child("cpu").Value is not PickleTensor { Type: ScalarType.Byte } cpu)
            {
                throw root.Refuse("the bytes of torch's generator at 'cpu'");
            }

            using var bytes = file.Read(cpu);
            return new(bytes.data<byte>().ToArray(), OfNumpy(root.Find("numpy")), OfPython(root.Find("python")));
        }
        catch (ModelLoadException e)
        {
            throw new TrainingException($"The generators' state '{path}' cannot be read: {e.Message}", e);
        }
    }

    // ("MT19937", array of 624 words, position, has_gauss, cached_gaussian)
    private static MersenneState? OfNumpy(PickleValues? saved) =>
        saved?.Value is object?[] and [string, PickleObject { State: object?[] and [_, _, _, _, var content] }, long position, ..]
            && Bytes(content) is { Length: MersenneState.WordCount * sizeof(uint) } bytes
            ? new([.. Enumerable.Range(0, MersenneState.WordCount).Select(i => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint))))], (int)position)
            : null;

    // (3, 624 words and the position, gauss_next)
    private static MersenneState? OfPython(PickleValues? saved) =>
        saved?.Value is object?[] and [long, object?[] { Length: MersenneState.WordCount + 1 } words, ..] && words.All(w => w is long)
            ? new([.. words.Take(MersenneState.WordCount).Select(w => (uint)(long)w!)], (int)(long)words[^1]!)
            : null;

    // Protocol 2 has no bytes: they are a text in which each character is one byte.
    private static byte[]? Bytes(object? content) => content switch
    {
        byte[] bytes => bytes,
        PickleObject { Name: "_codecs.encode", Arguments: [string text, ..] } => Encoding.Latin1.GetBytes(text),
        _ => null,
    };
}

/// <summary>State of a Mersenne twister: its words and the position of the next.</summary>
/// <param name="Words">624 words.</param>
/// <param name="Position">0 to 624.</param>
internal sealed record MersenneState(uint[] Words, int Position)
{
    /// <summary>Number of words.</summary>
    public const int WordCount = 624;
}

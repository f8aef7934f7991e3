using Vizsla.Models.Weights;
using static TorchSharp.torch;

namespace Vizsla.Training.Checkpoints;

/// <summary>Where libtorch's generator stood, and where it stood before the batch that was loaded ahead.</summary>
/// <param name="State">State at the checkpoint.</param>
/// <param name="BeforePending">State before the batch loaded ahead; null where there is none.</param>
internal sealed record GeneratorFile(byte[] State, byte[]? BeforePending)
{
    private const string Now = "cpu";
    private const string Pending = "before_pending";

    public void Write(string path)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor> { [Now] = tensor(State, dtype: ScalarType.Byte) };
        if (BeforePending is not null)
        {
            tensors.Add(Pending, tensor(BeforePending, dtype: ScalarType.Byte));
        }

        SafetensorsFile.Write(path, tensors);
    }

    public static GeneratorFile Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return new(Bytes(file, Now), file.Contains(Pending) ? Bytes(file, Pending) : null);
    }

    private static byte[] Bytes(SafetensorsFile file, string name)
    {
        using var tensor = file.Read(name);
        return tensor.data<byte>().ToArray();
    }
}

using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>The calls that a torch file may describe: those that make tensors. None of them is ever made.</summary>
internal sealed class PickleCalls(string path, bool keepOthers)
{
    private const int MostAxes = 64;

    private static readonly Dictionary<string, ScalarType> _storages = new(StringComparer.Ordinal)
    {
        ["torch.FloatStorage"] = ScalarType.Float32,
        ["torch.DoubleStorage"] = ScalarType.Float64,
        ["torch.HalfStorage"] = ScalarType.Float16,
        ["torch.BFloat16Storage"] = ScalarType.BFloat16,
        ["torch.LongStorage"] = ScalarType.Int64,
        ["torch.IntStorage"] = ScalarType.Int32,
        ["torch.ShortStorage"] = ScalarType.Int16,
        ["torch.CharStorage"] = ScalarType.Int8,
        ["torch.ByteStorage"] = ScalarType.Byte,
        ["torch.BoolStorage"] = ScalarType.Bool,
    };

    private static readonly HashSet<string> _functions = new(StringComparer.Ordinal)
    {
        "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch.Size",
    };

    /// <summary>Bytes per element of each storage met so far, by its key.</summary>
    public Dictionary<string, int> StorageSizes { get; } = new(StringComparer.Ordinal);

    public ModelLoadException Refuse(string reason) => new($"'{path}' is not read: {reason}. Nothing in it was run; save the weights as safetensors.");

    public PickleGlobal Global(string name) =>
        keepOthers || _functions.Contains(name) || _storages.ContainsKey(name)
            ? new PickleGlobal(name)
            : throw Refuse($"it asks for '{name}', which no weights need");

    /// <summary>A storage by its description: ('storage', class, key, device, length).</summary>
    public PickleStorage Persistent(object? id)
    {
        if (id is not object?[] parts || parts is not ["storage", PickleGlobal type, string key, string, long length, ..]
            || !_storages.TryGetValue(type.Name, out var element) || length < 0)
        {
            throw Refuse("it refers to something else than a storage of numbers");
        }

        StorageSizes[key] = SafetensorsType.ElementSize(element);
        return new PickleStorage(key, element, length);
    }

    public object? Call(PickleGlobal function, object?[] arguments) => function.Name switch
    {
        "collections.OrderedDict" when arguments.Length == 0 => new Dictionary<object, object?>(),
        "torch._utils._rebuild_tensor_v2" => MakeTensor(arguments),
        "torch._utils._rebuild_parameter" when arguments is [PickleTensor tensor, ..] => tensor,
        "torch.Size" when arguments is [object?[] sides] => sides,
        _ when keepOthers => new PickleObject(function.Name, arguments),
        _ => throw Refuse($"it calls '{function.Name}' with {arguments.Length} arguments that do not fit"),
    };

    /// <summary>Takes the state of an object: the attributes of a dictionary of weights hold nothing that is needed.</summary>
    public void Build(object? target, object? state)
    {
        switch (target)
        {
            case Dictionary<object, object?> when state is Dictionary<object, object?>:
                break;
            case PickleObject described:
                described.State = state;
                break;
            default:
                throw Refuse("it gives a state to something that has none");
        }
    }

    private PickleTensor MakeTensor(object?[] arguments)
    {
        if (arguments is not [PickleStorage storage, long offset, object?[] shape, object?[] strides, ..]
            || offset < 0 || shape.Length != strides.Length || shape.Length > MostAxes
            || !shape.Concat(strides).All(n => n is long and >= 0))
        {
            throw Refuse("it describes an invalid tensor");
        }

        var sides = shape.Cast<long>().ToArray();
        var steps = strides.Cast<long>().ToArray();
        var elements = (UInt128)1;
        var last = (UInt128)(ulong)offset;
        for (var i = 0; i < sides.Length; i++)
        {
            elements *= (ulong)sides[i];
            last += (UInt128)(ulong)Math.Max(0, sides[i] - 1) * (ulong)steps[i];
            if (elements > long.MaxValue || last > long.MaxValue)
            {
                throw Refuse("it describes an invalid tensor");
            }
        }

        // Strides of zero could make a giant of a small storage, and no saved weight has them.
        if (elements > (ulong)storage.Length || (elements > 0 && last >= (ulong)storage.Length))
        {
            throw Refuse($"a tensor of shape [{string.Join(", ", sides)}] reaches beyond its storage of {storage.Length} values");
        }

        return new PickleTensor(storage.Key, storage.Type, storage.Length, offset, sides, steps);
    }
}

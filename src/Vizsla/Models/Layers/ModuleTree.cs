using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Hangs layers and parameters below a module by the dotted names of the file, so that a flat C# class has the nested names of the Hub.</summary>
internal static class ModuleTree
{
    /// <summary>Registers a layer under a path such as <c>attention.output.dense</c>, making the modules on the way.</summary>
    public static T Add<T>(nn.Module root, string path, T module)
        where T : nn.Module
    {
        var (parent, name) = Descend(root, path);
        parent.register_module(name, module);
        return module;
    }

    /// <summary>Registers a parameter under a path such as <c>embeddings.cls_token</c>.</summary>
    public static ParameterSlot AddParameter(nn.Module root, string path, params long[] shape)
    {
        var (parent, name) = Descend(root, path);
        parent.register_parameter(name, nn.Parameter(empty(shape, dtype: ScalarType.Float32)));
        return new ParameterSlot(parent, name);
    }

    /// <summary>Takes a module with its parameters out again; none of them is disposed.</summary>
    public static void Remove(nn.Module owner, string name) => owner.register_module(name, null!);

    /// <summary>Keeps whole numbers as a buffer beside a module's parameters, for files that hold them; once only.</summary>
    public static void KeepBuffer(nn.Module owner, string name, long[] values, long[] shape)
    {
        if (!owner.has_buffer(name))
        {
            owner.register_buffer(name, tensor(values, shape));
        }
    }

    /// <summary>The parameters and persistent buffers in the order of Python's <c>state_dict()</c>: of each module first its own, then its children's.</summary>
    public static IEnumerable<(string Name, Tensor Value)> State(nn.Module module, string prefix = "")
    {
        foreach (var (name, parameter) in module.named_parameters(recurse: false))
        {
            yield return (prefix + name, parameter);
        }

        foreach (var (name, buffer) in module.named_buffers(recurse: false, include_nonpersistent: false))
        {
            yield return (prefix + name, buffer);
        }

        foreach (var (name, child) in module.named_children())
        {
            foreach (var entry in State(child, $"{prefix}{name}."))
            {
                yield return entry;
            }
        }
    }

    /// <summary>Every layer below a module, children before the layer that holds them, in the order of registration.</summary>
    public static IEnumerable<Layer> Layers(nn.Module module)
    {
        foreach (var (_, child) in module.named_children())
        {
            foreach (var layer in Layers(child))
            {
                yield return layer;
            }

            if (child is Layer own)
            {
                yield return own;
            }
        }
    }

    /// <summary>The outermost layers that consist of others, by their names in the file and in their order: the blocks of a network.</summary>
    public static IEnumerable<string> Blocks(nn.Module module, string prefix = "")
    {
        foreach (var (name, child) in module.named_children())
        {
            var path = prefix + name;
            foreach (var block in child is Layer ? child is TensorLayer ? [] : [path] : Blocks(child, path + '.'))
            {
                yield return block;
            }
        }
    }

    /// <summary>Every layer whose result can be changed, with its name in the file, in the order of registration.</summary>
    public static IEnumerable<(string Name, TensorLayer Layer)> TensorLayers(nn.Module module, string prefix = "")
    {
        foreach (var (name, child) in module.named_children())
        {
            if (child is TensorLayer layer)
            {
                yield return (prefix + name, layer);
            }

            foreach (var entry in TensorLayers(child, $"{prefix}{name}."))
            {
                yield return entry;
            }
        }
    }

    private static (nn.Module Parent, string Name) Descend(nn.Module root, string path)
    {
        var parent = root;
        var rest = path;
        for (var dot = rest.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = rest.IndexOf('.', StringComparison.Ordinal))
        {
            parent = Child(parent, rest[..dot]);
            rest = rest[(dot + 1)..];
        }

        return (parent, rest);
    }

    private static nn.Module Child(nn.Module parent, string name)
    {
        foreach (var (childName, child) in parent.named_children())
        {
            if (childName == name)
            {
                return child;
            }
        }

        var made = new Container();
        parent.register_module(name, made);
        return made;
    }
}

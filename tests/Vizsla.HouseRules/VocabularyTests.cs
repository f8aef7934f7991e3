using Mono.Cecil;

namespace Vizsla.HouseRules;

/// <summary>
/// Networks and layers compute with the operations of <c>Models/Layers</c> alone (TensorMath, TensorShapes, TensorPlanes), which note what they do
/// while a graph is recorded: so one forward pass serves computing and export.
/// </summary>
public sealed class VocabularyTests
{
    // What gives a tensor without computing one, or only says who owns it.
    private static readonly HashSet<string> Harmless =
        ["MoveToOuterDisposeScope", "MoveToOtherDisposeScope", "DetachFromDisposeScope", "AttachToDisposeScope", "Dispose"];

    private static readonly HashSet<string> Kernels =
        ["TorchSharp.torch/Tensor", "TorchSharp.torch", "TorchSharp.torch/nn/functional", "TorchSharp.torch/linalg", "TorchSharp.torch/special", "TorchSharp.TensorExtensionMethods"];

    [Fact]
    public void Networks_and_layers_compute_only_with_recorded_operations()
    {
        using var module = Dependencies.Open("Vizsla");

        var calls = from type in module.Types
                    where IsNetworkOrLayer(type)
                    from part in Dependencies.WithNested(type)
                    from method in part.Methods
                    where !method.IsConstructor
                    from called in Called(method)
                    where Computes(called)
                    select $"{type.FullName}.{method.Name} -> {called.Name}";

        var found = calls.Distinct().ToList();
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Fact]
    public void The_networks_are_found()
    {
        using var module = Dependencies.Open("Vizsla");

        var names = module.Types.Where(IsNetworkOrLayer).Select(t => t.Name).ToList();

        Assert.Contains("VitNetwork", names);
        Assert.Contains("TransformerBlock", names);
        Assert.Contains("Convolution", names);
    }

    private static bool IsNetworkOrLayer(TypeDefinition type)
    {
        if (type.Namespace.StartsWith("Vizsla.Models.Timm", StringComparison.Ordinal))
        {
            return false;
        }

        for (var at = type.BaseType?.Resolve(); at is not null && at.Module == type.Module; at = at.BaseType?.Resolve())
        {
            if (at.FullName is "Vizsla.Models.ClassificationNetwork" or "Vizsla.Models.Layers.Layer")
            {
                return true;
            }
        }

        return false;
    }

    private static bool Computes(MethodReference called) =>
        Kernels.Contains(called.DeclaringType.FullName) && called.ReturnType.FullName.Contains("torch/Tensor", StringComparison.Ordinal) && !Harmless.Contains(called.Name);

    private static IEnumerable<MethodReference> Called(MethodDefinition method) =>
        method.HasBody ? method.Body.Instructions.Select(i => i.Operand).OfType<MethodReference>().Select(m => m.GetElementMethod()) : [];
}

using Mono.Cecil;

namespace Vizsla.HouseRules;

/// <summary>
/// TorchSharp hands the native handle of a temporary <c>Scalar</c> to libtorch and keeps nothing alive meanwhile: the garbage collector may
/// free it under the running call. Scalars therefore come from <c>Native/KeptScalars</c> alone, and what makes one inside TorchSharp is not called.
/// </summary>
public sealed class ScalarTests
{
    private const string Keeper = "Vizsla.Native.KeptScalars";

    [Theory]
    [InlineData("Vizsla")]
    [InlineData("Vizsla.Studio")]
    public void No_call_makes_a_scalar_that_the_collector_may_free_in_its_midst(string assembly)
    {
        using var torch = Dependencies.Open("TorchSharp");
        using var module = Dependencies.Open(assembly);
        var makers = Makers(torch);

        var calls = from type in module.GetTypes()
                    where type.FullName != Keeper
                    from method in type.Methods
                    from called in Called(method)
                    where makers.Contains(called.FullName)
                    select $"{type.FullName}.{method.Name} -> {called.FullName}";

        var found = calls.Distinct().ToList();
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Fact]
    public void Addition_of_two_tensors_is_known_to_make_one()
    {
        using var torch = Dependencies.Open("TorchSharp");

        var makers = Makers(torch);

        Assert.Contains(makers, name => name.Contains("Tensor::op_Addition(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)", StringComparison.Ordinal));
        Assert.DoesNotContain(makers, name => name.Contains("Tensor::matmul(", StringComparison.Ordinal));
    }

    // Full names of the methods that make a scalar themselves or through another method of TorchSharp.
    private static HashSet<string> Makers(ModuleDefinition torch)
    {
        var methods = torch.GetTypes().SelectMany(t => t.Methods).ToList();
        var makers = new HashSet<string>();
        var callers = methods.SelectMany(m => Called(m).Select(c => (Caller: m.FullName, Called: c.FullName))).ToLookup(c => c.Called, c => c.Caller);
        var open = new Stack<string>(methods.Where(m => m.IsStatic && m.ReturnType.FullName == "TorchSharp.Scalar").Select(m => m.FullName));
        while (open.TryPop(out var name))
        {
            if (makers.Add(name))
            {
                foreach (var caller in callers[name])
                {
                    open.Push(caller);
                }
            }
        }

        return makers;
    }

    private static IEnumerable<MethodReference> Called(MethodDefinition method) =>
        method.HasBody ? method.Body.Instructions.Select(i => i.Operand).OfType<MethodReference>().Select(m => m.GetElementMethod()) : [];
}

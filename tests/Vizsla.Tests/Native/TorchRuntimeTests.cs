using TorchSharp;
using Vizsla.Native;

namespace Vizsla.Tests.Native;

public sealed class TorchRuntimeTests
{
    [Fact]
    public void A_tensor_can_be_made_on_this_system()
    {
        System.Runtime.CompilerServices.RuntimeHelpers.RunModuleConstructor(typeof(TorchRuntime).Module.ModuleHandle);

        using var ones = torch.ones(3);
        using var sum = ones.sum();

        Assert.Equal(3f, sum.item<float>());
    }
}

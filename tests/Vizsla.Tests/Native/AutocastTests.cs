using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Tests.Native;

[Collection(RunAlone.Name)]
public sealed class AutocastTests
{
    [Fact]
    public void Products_inside_a_scope_are_bfloat16_and_outside_float32()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3);
        var weight = randn(4, 3);

        ScalarType inside;
        using (Autocast.Open(DeviceType.CPU))
        {
            inside = Operators.Linear(x, weight, null).dtype;
        }

        Assert.Equal(ScalarType.BFloat16, inside);
        Assert.Equal(ScalarType.Float32, Operators.Linear(x, weight, null).dtype);
        Assert.Null(Autocast.Current(DeviceType.CPU));
    }

    [Fact]
    public void Scopes_nest_and_give_back_what_was_before()
    {
        using (Autocast.Open(DeviceType.CPU))
        {
            using (Autocast.Open(DeviceType.CPU, ScalarType.Float16))
            {
                Assert.Equal(ScalarType.Float16, Autocast.Current(DeviceType.CPU));
            }

            Assert.Equal(ScalarType.BFloat16, Autocast.Current(DeviceType.CPU));
        }

        Assert.Null(Autocast.Current(DeviceType.CPU));
    }

    [Fact]
    public void Gradients_reach_the_weight_in_its_own_precision_through_every_use_of_the_kept_copy()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 3);
        var weight = ones(2, 3, requires_grad: true);

        using (Autocast.Open(DeviceType.CPU))
        {
            Operators.Linear(x, weight, null).sum().backward();
            Operators.Linear(x, weight, null).sum().backward();
        }

        Assert.Equal(ScalarType.Float32, weight.grad!.dtype);
        Assert.All(weight.grad.data<float>().ToArray(), g => Assert.Equal(2f, g));
    }

    [Fact]
    public void A_kept_copy_is_used_until_it_is_cleared()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1);
        var weight = ones(1, 1, requires_grad: true);
        float kept, fresh;

        using (Autocast.Open(DeviceType.CPU))
        {
            Operators.Linear(x, weight, null);
            using (no_grad())
            {
                weight.fill_(Kept(3));
            }

            kept = Operators.Linear(x, weight, null).to(ScalarType.Float32).item<float>();
            Autocast.ClearCache();
            fresh = Operators.Linear(x, weight, null).to(ScalarType.Float32).item<float>();
        }

        Assert.Equal(1f, kept);
        Assert.Equal(3f, fresh);
    }

    [Fact]
    public void Another_thread_is_not_switched()
    {
        ScalarType? other = ScalarType.Byte;

        using (Autocast.Open(DeviceType.CPU))
        {
            var thread = new Thread(() => other = Autocast.Current(DeviceType.CPU));
            thread.Start();
            thread.Join();
        }

        Assert.Null(other);
    }
}

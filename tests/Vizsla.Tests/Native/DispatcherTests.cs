using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Tests.Native;

[Collection(RunAlone.Name)]
public sealed class DispatcherTests
{
    [Fact]
    public void The_library_is_the_one_that_was_checked()
    {
        Assert.True(Dispatcher.IsAvailable);
        Assert.Equal(LibTorch.Checked, new Version(LibTorch.Version!.Major, LibTorch.Version.Minor));
    }

    [Fact]
    public void An_operator_is_called_by_name_with_tensors_numbers_and_flags()
    {
        using var leaks = new NoTensorLeaks();
        using var scope = NewDisposeScope();
        var x = arange(Kept(6L), dtype: ScalarType.Float32).reshape(2, 3);

        var sum = Dispatcher.CallTensor("aten::sum", "dim_IntList", x, OperatorArgument.OptionalList([1]), true, OperatorArgument.Optional(ScalarType.Float64));

        Assert.Equal(ScalarType.Float64, sum.dtype);
        Assert.Equal([2, 1], sum.shape);
        Assert.Equal([3, 12], sum.data<double>().ToArray());
    }

    [Fact]
    public void Several_results_and_lists_of_results_come_back()
    {
        using var leaks = new NoTensorLeaks();
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 1, 5, 2, 4 }, [2, 2]);

        var largest = Dispatcher.CallTensors("aten::max", "dim", 2, x, 1, false);
        var parts = Dispatcher.CallList("aten::split", "Tensor", x, 1, 0);

        Assert.Equal([5f, 4f], largest[0].data<float>().ToArray());
        Assert.Equal([1L, 1L], largest[1].data<long>().ToArray());
        Assert.Equal([2f, 4f], parts[1].reshape(-1).data<float>().ToArray());
    }

    [Fact]
    public void A_call_takes_part_in_the_gradient()
    {
        using var scope = NewDisposeScope();
        var x = ones(3, requires_grad: true);

        Dispatcher.CallTensor("aten::mul", "Tensor", x, x).sum().backward();

        Assert.Equal([2f, 2f, 2f], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void An_unknown_operator_is_an_exception()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Dispatcher.Call("aten::no_such_operator", ""));

        Assert.Equal("libtorch failed at aten::no_such_operator; see its own message on standard error.", error.Message);
    }

    [Fact]
    public void Handles_given_to_the_library_are_all_let_go()
    {
        using var scope = NewDisposeScope();
        Tensor[] list = [zeros(256, 1024), zeros(256, 1024)];
        var factor = tensor(2f);
        Dispatcher.Call("aten::_foreach_mul_", "Tensor", OperatorArgument.List(list), factor);
        var before = Environment.WorkingSet;

        for (var i = 0; i < 300; i++)
        {
            using var inner = NewDisposeScope();
            Tensor[] fresh = [ones(256, 1024), ones(256, 1024)];
            Dispatcher.Call("aten::_foreach_mul_", "Tensor", OperatorArgument.List(fresh), factor);
        }

        // 300 x 2 MiB were made; a leaked reference would keep them all.
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 150L << 20);
    }
}

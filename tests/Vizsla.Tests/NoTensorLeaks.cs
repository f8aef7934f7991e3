using TorchSharp;

namespace Vizsla.Tests;

/// <summary>Asserts, when disposed, that everything made on this thread since it was made is disposed.</summary>
internal sealed class NoTensorLeaks : IDisposable
{
    private readonly long _before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    public void Dispose() => Assert.Equal(_before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
}

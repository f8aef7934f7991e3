using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

/// <summary>Keeps libtorch to one thread: the models of tests are tiny, and threads that wait for each other are slow on a busy machine.</summary>
public sealed class OneThread : IDisposable
{
    private readonly int _before = get_num_threads();

    public OneThread() => set_num_threads(1);

    public void Dispose() => set_num_threads(_before);
}

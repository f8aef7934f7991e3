namespace Vizsla.Tests.Training;

/// <summary>Tests that train: one after the other, for they share libtorch's generator.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TrainsAlone : ICollectionFixture<OneThread>
{
    public const string Name = "Training";
}

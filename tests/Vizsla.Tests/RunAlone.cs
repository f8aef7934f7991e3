namespace Vizsla.Tests;

/// <summary>Tests of what the whole process shares: libtorch's kept casts, its memory, its threads.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunAlone
{
    public const string Name = "RunAlone";
}

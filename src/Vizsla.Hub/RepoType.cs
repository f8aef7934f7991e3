namespace Vizsla.Hub;

/// <summary>What a repository holds.</summary>
public enum RepoType
{
    /// <summary>A model: addressed without a prefix, <c>user/name</c>.</summary>
    Model,

    /// <summary>A dataset: <c>datasets/user/name</c> in addresses.</summary>
    Dataset,
}

namespace Vizsla.HubServer.Accounts;

/// <summary>What a token, or a user in somebody else's repository, may do.</summary>
public enum TokenRole
{
    /// <summary>Nothing that needs a name.</summary>
    None,

    /// <summary>Read.</summary>
    Read,

    /// <summary>Read and write.</summary>
    Write,
}

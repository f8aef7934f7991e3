namespace Vizsla.HubServer.Api;

/// <summary>The ports that the server has got; known once it listens.</summary>
internal sealed class ServerPorts
{
    /// <summary>The Hub's port.</summary>
    public int Hub { get; set; }

    /// <summary>The storage's own port; null when it has none.</summary>
    public int? Storage { get; set; }
}

using System.Net;
using Vizsla.Adapters;
using Vizsla.Export;
using Vizsla.Serving;
using Vizsla.Studio.Trainings;

namespace Vizsla.Studio;

/// <summary>What the pages show.</summary>
public sealed class StudioOptions
{
    /// <summary>Folder whose sub-folders are runs (or which is a run itself); null shows none. Option: <c>--runs</c>.</summary>
    public string? Runs { get; set; }

    /// <summary>Models to choose from: run folders, Hub names in the cache, timm folders. Option: <c>--model</c>.</summary>
    public IReadOnlyList<string> Models { get; set; } = [];

    /// <summary>
    /// What computes the models. Default: <see cref="InferenceEngine.Auto"/>, which here is libtorch, since the pages show where a model looked; <see cref="InferenceEngine.Onnx"/> takes
    /// exported files, which do not tell that. Option: <c>--engine</c>.
    /// </summary>
    public InferenceEngine Engine { get; set; }

    /// <summary>Which exported file <see cref="InferenceEngine.Onnx"/> takes. Default: float32, <c>onnx/model.onnx</c>. Option: <c>--dtype</c>.</summary>
    public OnnxPrecision Precision { get; set; }

    /// <summary>Folder or Hub name of the model that the adapters among the models and runs change; null takes the one that each names itself. Option: <c>--base_model</c>.</summary>
    public string? BaseModel { get; set; }

    /// <summary>Dataset folder to browse; null shows the datasets of the runs alone. Option: <c>--dataset</c>.</summary>
    public string? Dataset { get; set; }

    /// <summary>What trains; null where the pages start no training.</summary>
    internal TrainingProgram? Training { get; set; }

    internal ServedModel Serve(string name, string nameOrFolder) =>
        new(name, nameOrFolder)
        {
            Engine = Engine == InferenceEngine.Auto ? InferenceEngine.Torch : Engine,
            Precision = Precision,
            UsesCalibration = true,
            BaseModel = BaseModel is not null && AdapterFolder.Find(nameOrFolder, "main") is not null ? BaseModel : null,
        };

    /// <summary>Where to listen. The port's default is 7860.</summary>
    public HostOptions Host { get; } = new() { Port = 7860 };

    /// <summary>How the models answer.</summary>
    public ServingOptions Serving { get; } = new();
}

/// <summary>Where a server listens and whom it answers.</summary>
public sealed class HostOptions
{
    /// <summary>Address to listen on. Default: 127.0.0.1, this computer alone. Option: <c>--host</c>.</summary>
    public IPAddress Address { get; set; } = IPAddress.Loopback;

    /// <summary>Port to listen on; 0 takes a free one. Option: <c>--port</c>.</summary>
    public int Port { get; set; }

    /// <summary>Secret that every request shows (<c>Authorization: Bearer</c>, or once <c>?token=</c> in a browser); null asks for none. Option: <c>--token</c>.</summary>
    public string? Token { get; set; }

    /// <summary>Whether to listen beyond this computer without a token. Default: false. Option: <c>--no_token</c>.</summary>
    public bool AllowNoToken { get; set; }

    /// <summary>Names besides addresses, <c>localhost</c> and this computer's name under which browsers may call. Option: <c>--allowed_host</c>.</summary>
    public IReadOnlyList<string> AllowedHosts { get; set; } = [];

    /// <summary>Origins besides the server's own whose pages may call, such as <c>https://pets.example.org</c>. Option: <c>--allowed_origin</c>.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; set; } = [];

    /// <summary>True when only this computer can connect.</summary>
    public bool IsLoopback => IPAddress.IsLoopback(Address);

    /// <summary>Refuses to listen beyond this computer without a decision about the token.</summary>
    /// <exception cref="ArgumentException">The address is not a loopback one, and there is neither a token nor leave to go without.</exception>
    internal void Validate()
    {
        if (!IsLoopback && string.IsNullOrEmpty(Token) && !AllowNoToken)
        {
            throw new ArgumentException(
                $"Listening on {Address} lets every computer that reaches this one look at the runs and pictures and use the models. "
                + "Give --token SECRET, which each request must show, or --no_token to go without.");
        }

        if (AllowedOrigins.FirstOrDefault(o => !Uri.TryCreate(o, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.GetLeftPart(UriPartial.Authority) != o.TrimEnd('/')) is { } wrong)
        {
            throw new ArgumentException($"--allowed_origin takes an origin such as https://pets.example.org, got '{wrong}'.");
        }

        if (Port is < 0 or > 65535)
        {
            throw new ArgumentException($"Port {Port} does not exist; ports go from 1 to 65535 (0 takes a free one).");
        }
    }
}

using Microsoft.ML.OnnxRuntime;
using Vizsla.Inference;
using Vizsla.Transforms;

namespace Vizsla.Onnx;

/// <summary>How an exported model is computed, and what its folder does not say.</summary>
public sealed record OnnxClassifierOptions
{
    /// <summary>Threads of one computation; null takes the processors that this process may use.</summary>
    public int? Threads { get; init; }

    /// <summary>Whether threads that wait keep their processor; off by default, since it takes time from everything else on the machine.</summary>
    public bool Spins { get; init; }

    /// <summary>Pictures read ahead and held at once, at least 1; 32 by default. They are computed a few at a time, at most twice as many as this process may use processors: as fast, and in less memory.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Threads that read and prepare pictures, at least 1; by default as many as this process may use processors.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Whether a JPEG file among many is decoded at the smallest of libjpeg's scales 1/8 to 8/8 that is not below the pipeline's leading Resize; false by default, since scores move. Pays most for large photos.</summary>
    public bool FastDecode { get; init; }

    /// <summary>Changes the session before it opens, such as by an execution provider of a package that you reference; null leaves it.</summary>
    public Action<SessionOptions>? Configure { get; init; }

    /// <summary>Which file of a folder is taken: <c>model.onnx</c> by default, <c>model_fp16.onnx</c> or <c>model_quantized.onnx</c>.</summary>
    public string FileName { get; init; } = "model.onnx";

    /// <summary>Class names in order of their index; null takes them from <c>config.json</c> or the file itself.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Preprocessing; null takes <c>preprocessor_config.json</c>, or timm's settings in <c>config.json</c>, or the file's own.</summary>
    public ImageProcessor? Processor { get; init; }

    /// <summary>From logits to scores; null takes softmax, or sigmoid where <c>problem_type</c> or a single class asks for it.</summary>
    public ScoreFunction? Function { get; init; }

    /// <summary>Name of the model's input; null takes its only one.</summary>
    public string? Input { get; init; }

    /// <summary>Name of the model's output; null takes its only one, or <c>logits</c>.</summary>
    public string? Output { get; init; }
}

/// <summary>An exported model cannot be loaded; the message names the file and says what to do.</summary>
public sealed class OnnxModelException : Exception
{
    /// <param name="message">One sentence.</param>
    /// <param name="innerException">What failed below; null for nothing.</param>
    public OnnxModelException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

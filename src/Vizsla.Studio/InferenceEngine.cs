namespace Vizsla.Studio;

/// <summary>What computes the answers of a model.</summary>
public enum InferenceEngine
{
    /// <summary>
    /// ONNX Runtime, where <c>onnx/model.onnx</c> lies in the model's folder and is newer than the weights beside it (or there are none), and libtorch everywhere else:
    /// for a name of a Hub, and for what an exported file cannot do, such as explanations and several views of a picture.
    /// </summary>
    Auto,

    /// <summary>libtorch, from the weights.</summary>
    Torch,

    /// <summary>ONNX Runtime, from an exported file; refused where there is none or the weights beside it are newer.</summary>
    Onnx,
}
